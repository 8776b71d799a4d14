"""What an examination finds, and how bad it is."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """A problem: something does not work, or is not safe. A warning: it works, and somebody should look at it."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about a part of the installation (`database`, `cluster production`), with what to do if it is bad."""

    level: Level
    part: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


def ok(part: str, text: str) -> Finding:
    return Finding(Level.OK, part, text)


def warning(part: str, text: str, advice: str) -> Finding:
    return Finding(Level.WARNING, part, text, advice)


def problem(part: str, text: str, advice: str) -> Finding:
    return Finding(Level.PROBLEM, part, text, advice)
