"""Makes static/icons: of Bootstrap's 2,000 icons those that the console names, 134 kB of font in a tenth of that.

`make icons` runs it. Whatever word of the sources is the name of an icon is taken along, so that a new use of an icon
rarely needs a new subset; tests/web/test_components.py says when it does.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHOLE = ROOT / "static/vendor/bootstrap-icons-1.13.2"
OURS = ROOT / "static/icons"
RULE = re.compile(r'\.bi-([a-z0-9-]+)::before\{content:"\\([0-9a-f]+)"\}')
WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def sources() -> list[Path]:
    """Where icons are named."""
    folders = (("console", "*.py"), ("templates", "*.html"), ("static/js", "*.js"), ("static/css", "*.css"))
    return [path for folder, pattern in folders for path in sorted((ROOT / folder).rglob(pattern))]


def main() -> None:
    css = (WHOLE / "bootstrap-icons.min.css").read_text(encoding="utf8")
    words = {word for path in sources() for word in WORD.findall(path.read_text(encoding="utf8").replace("bi-", " "))}
    taken = {name: code for name, code in RULE.findall(css) if name in words}
    head = re.sub(r'url\("fonts/bootstrap-icons\.woff2[^"]*"\)', 'url("icons.woff2")', RULE.sub("", css))
    rules = "".join(f'.bi-{name}::before{{content:"\\{code}"}}' for name, code in taken.items())
    OURS.mkdir(exist_ok=True)
    (OURS / "icons.css").write_text(f"{head.strip()}{rules}\n", encoding="utf8")
    font, codes = WHOLE / "fonts/bootstrap-icons.woff2", ",".join(f"U+{code}" for code in taken.values())
    made = [f"--unicodes={codes}", "--flavor=woff2", f"--output-file={OURS / 'icons.woff2'}"]
    subprocess.run([sys.executable, "-m", "fontTools.subset", str(font), *made], check=True)
    print(f"{len(taken)} icons")


if __name__ == "__main__":
    main()
