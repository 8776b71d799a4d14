"""`make screenshots`: a picture of every page, as different people see it, with the demo's data and with extreme data.

Starts a console of its own, fills its sandbox (scenes.py), and writes screenshots/LOOK/PAGE.png with an index.html.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, SANDBOX_SPEED, Visitor
from tests.browser.scenes import HISTORY, prepare, scenes
from tests.console_process import console

FOLDER = Path("screenshots")
# What stays in sight would lie in the middle of the picture of a long page.
UNPINNED = ".bar, .foot, thead th { position: static !important; }"


class Look(NamedTuple):
    language: str
    colours: Literal["light", "dark"]
    width: int
    height: int = 900


LOOKS = {
    "light": Look("en-GB", "light", 1280),
    "dark": Look("en-GB", "dark", 1280),
    "chinese": Look("zh-CN", "light", 1280),
    "375px": Look("en-GB", "light", 375),
    "320px": Look("en-GB", "dark", 320),
}


def main(looks: list[str]) -> None:
    with console(sandbox_speed=SANDBOX_SPEED, environment=HISTORY) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        prepare(running, browser)
        for name in looks or LOOKS:
            print(f"{name}: {take(browser, running.url, name)} pictures in {FOLDER / name}", flush=True)
        browser.close()
    (FOLDER / "index.html").write_text(index())


def take(browser: Browser, base: str, name: str) -> int:
    """Take the pictures of one look; return how many."""
    look, folder = LOOKS[name], FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        locale=look.language,
        color_scheme=look.colours,
        reduced_motion="reduce",
        bypass_csp=True,  # for UNPINNED
    )
    visitor = Visitor(context, base)
    visitor.go("/accounts/login/").page.screenshot(path=str(folder / "sign-in.png"), full_page=True)
    visitor.sign_in("admin")
    count = 1
    for title, is_open in scenes(visitor):
        is_open()
        visitor.page.add_style_tag(content=UNPINNED)
        visitor.page.screenshot(path=str(folder / f"{title}.png"), full_page=True)
        count += 1
    context.close()
    return count


def index() -> str:
    """All pictures of a page side by side."""
    pages = sorted({picture.name for picture in FOLDER.glob("*/*.png")})
    rows = (f"<h2>{escape(page)}</h2>" + "".join(map(shown, sorted(FOLDER.glob(f"*/{page}")))) for page in pages)
    return "<!doctype html><meta charset=utf-8><title>Screenshots</title>" + "".join(rows)


def shown(picture: Path) -> str:
    address = escape(str(picture.relative_to(FOLDER)))
    return f'<a href="{address}"><img src="{address}" width="400" alt=""></a> '


if __name__ == "__main__":
    main(sys.argv[1:])
