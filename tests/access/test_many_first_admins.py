"""Many uses of the first administrator's link at once, in a program of its own; see many_first_admins.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_many_uses_at_once_make_one_administrator(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.access.many_first_admins"],
        cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "CONSOLE_STATE_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[302, 404, 404, 404, 404, 404], 1]
