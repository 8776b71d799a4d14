"""How a state looks wherever it is shown: its word, an icon beside it and a color (templates/_state.html).

One table for the health of services, the status of operations, the outcome of audit entries, tokens, people and
clusters, so that the same state looks the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.operations.models import Operation
from console.operations.models.statuses import Status
from console.web.words import HEALTH, OUTCOMES

Tone = Literal["ok", "info", "warning", "bad", "unknown", "quiet"]


@dataclass(frozen=True, slots=True)
class State:
    """`tone` names a color of static/css/panels.css, `icon` one of Bootstrap's icons."""

    word: str | Promise
    icon: str
    tone: Tone


def state(code: str) -> State:
    """Return how a state is shown; a code that nobody knows is shown as it is."""
    return STATES.get(code) or State(code, "question-circle", "unknown")


HELD_BACK = "succeeded-held-back"  # of an operation: without traffic, as its author asked
LOOKS_OF_OPERATIONS: dict[Status, tuple[str, Tone]] = {
    Status.WAITING: ("hourglass-split", "info"),
    Status.QUEUED: ("hourglass", "info"),
    Status.RUNNING: ("arrow-repeat", "info"),
    Status.FOLLOWING: ("arrow-repeat", "info"),
    Status.SUCCEEDED: ("check-circle-fill", "ok"),
    Status.NOT_SERVING: ("check-circle", "warning"),
    Status.UNCHANGED: ("dash-circle", "quiet"),
    Status.FAILED: ("x-octagon-fill", "bad"),
    Status.TIMED_OUT: ("alarm", "bad"),
    Status.SUPERSEDED: ("skip-forward-circle", "warning"),
    Status.CANCELLED: ("x-circle", "quiet"),
    Status.CONFLICTED: ("exclamation-octagon-fill", "bad"),
    Status.REFUSED: ("slash-circle-fill", "bad"),
    Status.DECLINED: ("hand-thumbs-down-fill", "bad"),
    Status.EXPIRED: ("clock-history", "warning"),
    Status.STOPPED: ("shield-lock-fill", "bad"),
}


def of_operation(operation: Operation) -> str:
    """Return the code of the state of an operation: its status, except where one looks like a fault and is none."""
    return HELD_BACK if operation.is_held_back else operation.status


OPERATIONS = {status.value: State(status.label, icon, tone) for status, (icon, tone) in LOOKS_OF_OPERATIONS.items()}
STATES: dict[str, State] = {
    # audit entries
    "requested": State(OUTCOMES["requested"], "send", "info"),
    # services and revisions
    "ready": State(HEALTH["ready"], "check-circle-fill", "ok"),
    "progressing": State(HEALTH["progressing"], "arrow-repeat", "info"),
    "ok": State(HEALTH["ready"], "check-circle-fill", "ok"),
    "error": State(HEALTH["failed"], "x-octagon-fill", "bad"),
    "info": State(_("Information"), "info-circle-fill", "info"),
    "warning": State(_("Warning"), "exclamation-triangle-fill", "warning"),
    "unknown": State(_("Unknown"), "question-circle", "unknown"),
    # operations
    **OPERATIONS,
    HELD_BACK: State(_("Succeeded, 0% as requested"), "check-circle-fill", "ok"),
    # of an audit entry; an operation that the cluster rejected brings its own word
    "refused": State(OUTCOMES["refused"], "slash-circle-fill", "bad"),
    # tokens and people
    "active": State(_("Active"), "check-circle-fill", "ok"),
    "revoked": State(_("Revoked"), "x-octagon-fill", "quiet"),
    "administrator": State(_("Administrator"), "shield-check", "info"),
    "inactive": State(_("Deactivated"), "person-dash-fill", "quiet"),
    # permissions: to lack one is nothing wrong
    "yes": State(_("Yes"), "check-lg", "ok"),
    "no": State(_("No"), "dash-lg", "quiet"),
    # clusters
    "connected": State(_("Connected"), "check-circle-fill", "ok"),
    "unreachable": State(_("Not connected"), "x-octagon-fill", "bad"),
    "unchecked": State(_("Not checked yet"), "question-circle", "unknown"),
    "synced": State(_("Up to date"), "check-circle-fill", "ok"),
    "stale": State(_("Stale"), "exclamation-triangle-fill", "warning"),
    "unsynced": State(_("Not synced yet"), "hourglass-split", "warning"),
}
