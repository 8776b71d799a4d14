"""Conditions: what the controllers say of an object, with kn's symbols and kn's count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Word(StrEnum):
    """What a condition means to a person; kn shows the same five as symbols."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


SYMBOLS = {Word.OK: "++", Word.INFO: " I", Word.WARNING: " W", Word.ERROR: "!!", Word.UNKNOWN: "??"}


class Condition(Struct, frozen=True):
    """One entry of status.conditions (knative.dev/pkg apis.Condition). A watcher makes four of each revision."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    severity: str = ""
    changed_at: datetime | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Condition":
        """Return the condition that the JSON tells; missing fields become empty."""
        return cls(
            type=str(raw.get("type", "")),
            status=str(raw.get("status", "Unknown")),
            reason=str(raw.get("reason", "")),
            message=str(raw.get("message", "")),
            severity=str(raw.get("severity", "")),
            changed_at=parse_time(raw.get("lastTransitionTime")),
        )

    @property
    def is_true(self) -> bool:
        return self.status == "True"

    @property
    def is_false(self) -> bool:
        return self.status == "False"

    @property
    def word(self) -> Word:
        """ok, info, warning, error or unknown. A False of severity Info is harmless: `Active` at scale zero.

        What is not known yet stays unknown, whatever its severity (kn, pkg/commands/describe.go).
        """
        if self.is_true:
            return Word.OK
        if not self.is_false:
            return Word.UNKNOWN
        return {"Info": Word.INFO, "Warning": Word.WARNING}.get(self.severity, Word.ERROR)

    @property
    def symbol(self) -> str:
        """kn's two characters: `++`, ` I`, ` W`, `!!` or `??`."""
        return SYMBOLS[self.word]


@dataclass(frozen=True, slots=True)
class Tally:
    """kn's CONDITIONS column, and the conditions that keep it from being complete."""

    ok: int
    total: int
    others: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"{self.ok} OK / {self.total}"

    @property
    def is_normal(self) -> bool:
        """Nothing is wrong: what is not OK is only information, like `3 OK / 4` of a revision scaled to zero."""
        return all(condition.word in (Word.OK, Word.INFO) for condition in self.others)


def tally(conditions: Iterable[Condition]) -> Tally:
    """Return how many conditions are True, of how many, and which are not."""
    everything = tuple(conditions)
    others = tuple(condition for condition in everything if not condition.is_true)
    return Tally(len(everything) - len(others), len(everything), others)


def parse_time(text: Any) -> datetime | None:
    """Return the moment that a Kubernetes timestamp tells, or None when there is none or it cannot be read."""
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
