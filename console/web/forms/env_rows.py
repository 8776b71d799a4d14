"""The lines of the table of variables: one for each variable of a container, and those that are new."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, cast

from console.knative import newlines, validation
from console.knative.changes import EnvEntry
from console.knative.containers import Container, EnvVar
from console.knative.problems import Problem
from console.knative.redaction import MASK

_INDEX = re.compile(r"name-([0-9]{1,6})")
Source = Literal["", "secret", "config-map"]
Effect = Literal["same", "changed", "new", "removed"]


@dataclass(slots=True)
class EnvRow:
    """One line. `nth` of `of` variables with this name; a new one has `exists` False.

    `action` is "keep" for a line that is only shown, "set" for one with fields, "remove" for one that goes.
    """

    name: str = ""
    nth: int = 0
    of: int = 1
    index: int = 0
    variable: EnvVar | None = None
    action: str = "keep"
    source: str = ""
    value: str = ""
    reference: str = ""
    is_emptied: bool = False
    is_literal_confirmed: bool = False
    shown_value: str | None = None  # after a reveal
    problems: list[Problem] = field(default_factory=list)

    @property
    def exists(self) -> bool:
        return self.variable is not None

    @property
    def key(self) -> str:
        """What the buttons of the line send."""
        return f"{self.nth}:{self.name}"

    @property
    def origin(self) -> str:
        return self.variable.source if self.variable else ""

    @property
    def origin_kind(self) -> str:
        """`secret`, `config-map`, or else the first word of what the source says: `field`, `resource`, `reference`."""
        kind = self.variable.kind if self.variable else ""
        return self.origin.partition(" ")[0] if kind == "other" else kind

    @property
    def origin_place(self) -> str:
        reference = self.variable.reference if self.variable else ""
        return reference or self.origin.partition(" ")[2]

    @property
    def is_reference(self) -> bool:
        return bool(self.variable and self.variable.kind)

    @property
    def can_be_edited(self) -> bool:
        """A field of the pod, or a source that the console does not know, can be removed only."""
        return not self.variable or self.variable.kind != "other"

    @property
    def is_outdone(self) -> bool:
        """A later variable of the same name wins."""
        return self.nth < self.of - 1

    @property
    def is_odd(self) -> bool:
        return validation.is_odd_env_name(self.name)

    @property
    def effect(self) -> Effect:
        """What the line does as it is."""
        if self.action == "remove":
            return "removed"
        if not self.is_meant:
            return "same"
        return "changed" if self.exists else "new"

    @property
    def is_meant(self) -> bool:
        """The line differs from the current variable."""
        if self.action != "set":
            return False
        if not self.variable:
            return bool(self.name or self.value or self.reference)
        if self.source:
            return (self.source, self.reference) != (self.variable.kind, self.variable.reference)
        return bool(self.value) or self.is_emptied or self.is_reference

    @property
    def entry(self) -> EnvEntry:
        """What a valid line sets."""
        nth = self.nth if self.of > 1 else None
        if not self.source:
            return EnvEntry(self.name, self.value, nth=nth, of=self.of)
        name, _, key = self.reference.partition("/")
        return EnvEntry(self.name, "", cast("Source", self.source), name, key, nth, self.of)

    def open(self) -> None:
        """Give the line its fields, with the current variable; a literal value stays hidden until it is revealed."""
        self.action = "set"
        if self.variable and self.variable.kind in ("secret", "config-map"):
            self.source, self.reference = self.variable.kind, self.variable.reference

    def take(self, entry: EnvEntry) -> None:
        """Fill the line with a pasted variable."""
        self.action, self.source, self.value, self.reference = "set", entry.source, entry.value, ""
        self.is_emptied = self.exists and not entry.source and not entry.value
        if entry.source:
            self.reference = f"{entry.object}/{entry.key}"

    def reveal(self, value: str | None) -> None:
        """Show the value; a line with fields begins with it, unless something was typed."""
        self.shown_value = value
        if value and self.action == "set" and not self.source and not self.value:
            self.value = newlines.plain(value)

    def judge(self, *, is_sidecar: bool) -> None:
        """Find what is wrong with a line that sets something."""
        if not self.is_meant:
            return
        if not self.variable:
            self._note(validation.env_name(self.name, is_sidecar=is_sidecar))
        if self.source:
            name, _slash, key = self.reference.partition("/")
            self._note(None if name and key else Problem("env-source-invalid"))
            self._note(Problem("env-value-masked") if MASK in self.reference else None)
            return
        self._note(validation.env_value(self.value))
        if self.is_reference and not self.is_literal_confirmed:
            self._note(Problem("env-literal-for-reference", {"name": self.name, "origin": self.origin}))

    def _note(self, found: Problem | None) -> None:
        if found:
            self.problems.append(found)


def present_rows(container: Container) -> list[EnvRow]:
    """Return a line for each variable that the container has, as it is."""
    counts = Counter(variable.name for variable in container.env)
    seen: Counter[str] = Counter()
    rows = []
    for index, variable in enumerate(container.env):
        rows.append(EnvRow(variable.name, seen[variable.name], counts[variable.name], index, variable))
        seen[variable.name] += 1
    return rows


def typed_rows(container: Container, data: Mapping[str, Any]) -> tuple[list[EnvRow], list[EnvRow]]:
    """Return the present lines with what was typed into them, and the new ones.

    What was typed for a variable that is gone meanwhile is a new line: nothing is lost.
    """
    rows = present_rows(container)
    by_place = {(row.name, row.nth): row for row in rows}
    new: list[EnvRow] = []
    indexes = _indexes(data)
    free = count(max([len(rows) - 1, *indexes]) + 1)
    for index in indexes:
        typed = _Typed(data, index)
        row = by_place.get((typed.text("name").strip(), typed.nth(by_place))) if typed.has("exists") else None
        action = typed.text("action", "set")
        if row is None:
            if action != "remove" and not (typed.has("exists") and action == "keep"):
                place = index if index >= len(rows) else next(free)
                new.append(EnvRow(typed.text("name").strip(), index=place, action="set"))
                _fill(new[-1], typed)
        elif action == "remove":
            row.action = "remove"
        elif action == "set" or typed.text("value"):  # a value was typed: that is what is meant
            row.open()
            _fill(row, typed)
    return rows, new


class _Typed:
    """The fields of one line as they were sent."""

    def __init__(self, data: Mapping[str, Any], index: int) -> None:
        self.data, self.index = data, index

    def has(self, name: str) -> bool:
        return f"{name}-{self.index}" in self.data

    def text(self, name: str, default: str = "") -> str:
        return str(self.data.get(f"{name}-{self.index}", default))

    def nth(self, places: Mapping[tuple[str, int], EnvRow]) -> int:
        """Which of several; by default the last one, which wins."""
        if (text := self.text("nth")).isdecimal() and len(text) < 7:
            return int(text)
        name = self.text("name").strip()
        return max((nth for other, nth in places if other == name), default=0) if not self.has("nth") else 0


def _fill(row: EnvRow, typed: _Typed) -> None:
    if typed.has("source"):
        row.source = typed.text("source") if typed.text("source") in ("secret", "config-map") else ""
    row.value = newlines.plain(typed.text("value"))
    row.is_emptied, row.is_literal_confirmed = typed.has("empty"), typed.has("literal")
    if typed.has("reference"):
        row.reference = typed.text("reference").strip()
    elif row.source and row.value:
        row.reference, row.value = row.value.strip(), ""


def _indexes(data: Mapping[str, Any]) -> list[int]:
    found = (_INDEX.fullmatch(str(name)) for name in data)
    return sorted({int(match[1]) for match in found if match})
