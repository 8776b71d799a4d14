"""The environment of the embedded default, kept so that `manage.py` in another terminal works on the same console."""

import json
import os
from pathlib import Path

from console.run.state import write_private
from console.run.supervisor import ROOT

FILE = "environment.json"
KEY = "secret.key"
STATE_DIR = "CONSOLE_STATE_DIR"  # how the file is found


def keep_environment(state: Path) -> None:
    """Write what was set or found at the start to a file that only its owner may read."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("CONSOLE_") and name != STATE_DIR}
    write_private(state / FILE, json.dumps(kept))


def use_kept_environment() -> None:
    """Set what is not set from the file of the installation that CONSOLE_STATE_DIR, else ./var, holds.

    Where that is missing, the start's key is used. Nothing is read where CONSOLE_SECRET_KEY is set: a deployed console
    says everything itself.
    """
    if "CONSOLE_SECRET_KEY" in os.environ:
        return
    state = Path(os.environ.get(STATE_DIR) or ROOT / "var")
    for name, value in _kept(state).items():
        os.environ.setdefault(name, value)


def _kept(state: Path) -> dict[str, str]:
    try:
        if (state / FILE).exists():
            found: dict[str, str] = json.loads((state / FILE).read_text())
            return found
        return {"CONSOLE_SECRET_KEY": (state / KEY).read_text()}
    except FileNotFoundError:
        return {}
