"""The person at the server, who runs a command: by the name that the system knows."""

import getpass
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """An actor of the log (console.audit.chain.Actor) who has no account in the console."""

    name: str
    user_id: int | None = None
    ip: str = ""
    request_id: str = ""


def operator() -> Operator:
    """Return who runs this process, as `manage.py (name)`."""
    return Operator(f"manage.py ({getpass.getuser()})")
