"""Numbers and durations as Go's strconv and time packages read and write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DIGITS = r"[0-9]+(_[0-9]+)*"
_FLOAT = re.compile(rf"[+-]?({_DIGITS}(\.({_DIGITS})?)?|\.{_DIGITS})([eE][+-]?{_DIGITS})?", re.ASCII)
_SPECIAL = re.compile(r"[+-]?(inf|infinity)|nan", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_LIMIT = 2**63


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A time.Duration."""

    nanoseconds: int

    @property
    def seconds(self) -> float:
        return self.nanoseconds / 10**9

    @property
    def is_whole_seconds(self) -> bool:
        return self.nanoseconds % 10**9 == 0

    def __str__(self) -> str:
        """As Go writes whole seconds: 1h0m0s."""
        seconds = self.nanoseconds // 10**9
        hours, minutes = seconds // 3600, seconds // 60 % 60
        parts = [f"{hours}h"] if hours else []
        parts += [f"{minutes}m"] if hours or minutes else []
        return "".join([*parts, f"{seconds % 60}s"])


def parse_duration(text: str) -> Duration | None:
    """A duration such as `1m30s`, or None when Go does not take it as one."""
    if text in ("0", "+0", "-0"):
        return Duration(0)
    if not _DURATION.fullmatch(text):
        return None
    total = sum(_part(number, _NANOSECONDS[unit]) for number, unit in _PART.findall(text))
    signed = -total if text.startswith("-") else total
    return Duration(signed) if -_LIMIT <= signed < _LIMIT else None


def _part(number: str, unit: int) -> int:
    whole, _, rest = number.partition(".")
    return int(whole or 0) * unit + (int(int(rest) * unit / 10 ** len(rest)) if rest else 0)


def is_integer(text: str) -> bool:
    """Whether Go reads it as a whole number, of whatever size."""
    return _INTEGER.fullmatch(text) is not None


def go_float(text: str) -> float | None:
    """The number that Go reads, or None when it reads none; infinite when it is out of range only if it says so."""
    if _SPECIAL.fullmatch(text):
        return float(text)
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text.replace("_", ""))
    return None if abs(value) == float("inf") else value
