"""The commands of docs/operations.md, run as they are written there: what rots in the page fails a test."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations.md"
SECONDS = 120  # for one block


def commands(after: str) -> str:
    """Return the first block of commands after this text, which the page has once."""
    _before, found, rest = PAGE.read_text().partition(after)
    assert found, f"{PAGE.name} does not say {after!r}"
    assert after not in rest, f"{PAGE.name} says {after!r} twice"
    lines = rest.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("    "))
    block = lines[first : _end_of_block(lines, first)]
    return textwrap.dedent("\n".join(block))


def _end_of_block(lines: list[str], first: int) -> int:
    return next((number for number, line in enumerate(lines[first:], first) if not line.startswith("    ")), len(lines))


class Shell:
    """A shell of an operator: a folder of its own, the console's settings, and what its commands export."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # `python` is the console's, as in a container
        self.settings = {**settings, "PATH": path}
        if not (folder / "manage.py").exists():
            (folder / "manage.py").symlink_to(ROOT / "manage.py")

    def run(self, block: str, **more: str) -> str:
        """Run the block and keep what it exports; returns what it printed, raises AssertionError where it fails."""
        kept = self.folder / "environment"
        script = f"set -euo pipefail\n{block}\nenv -0 > {kept}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**self.settings, **more},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        variables = dict(line.partition("=")[::2] for line in kept.read_text().split("\0") if line)
        self.settings |= {name: value for name, value in variables.items() if name.startswith("CONSOLE_")}
        return done.stdout
