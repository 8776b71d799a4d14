"""Vendored front-end packages are the files that static/vendor/README.md lists, byte for byte."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "static" / "vendor"


def test_every_vendored_file_is_listed_with_its_hash() -> None:
    rows = re.findall(r"(?m)^\| (\S+) \| [^|]+ \| ([0-9a-f]{64}) \|$", (VENDOR / "README.md").read_text())
    kept = [path for path in VENDOR.rglob("*") if path.is_file() and path.name not in ("LICENSE", "README.md")]
    assert dict(rows) == {str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_every_vendored_package_has_its_licence() -> None:
    assert [folder.name for folder in VENDOR.iterdir() if folder.is_dir() and not (folder / "LICENSE").is_file()] == []
