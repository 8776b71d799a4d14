"""The environment of the embedded default, kept so that `manage.py` in another terminal works on the same console."""

import json
import os
from pathlib import Path

from console.run.state import write_private
from console.run.supervisor import ROOT

FILE = "environment.json"
NAMES = ("CONSOLE_CLUSTERS", "CONSOLE_DEMO", "CONSOLE_LOOPBACK_CLUSTERS", "CONSOLE_SECRET_KEY", "CONSOLE_URL")


def keep_environment(state: Path) -> None:
    """Write what was set or found at the start to a file that only its owner may read."""
    write_private(state / FILE, json.dumps({name: os.environ[name] for name in NAMES if name in os.environ}))


def use_kept_environment() -> None:
    """Set what is not set from the file of the installation that CONSOLE_STATE_DIR, else ./var, holds.

    Nothing is read where CONSOLE_SECRET_KEY is set: a deployed console says everything itself.
    """
    if "CONSOLE_SECRET_KEY" in os.environ:
        return
    state = Path(os.environ.get("CONSOLE_STATE_DIR") or ROOT / "var")
    try:
        kept = json.loads((state / FILE).read_text())
    except FileNotFoundError:
        return
    for name, value in kept.items():
        os.environ.setdefault(name, value)
