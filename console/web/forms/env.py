"""The table of variables: keep, set, remove, add, or paste a .env file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.knative import validation
from console.knative.changes import EnvEntry, SetEnv
from console.knative.changes.base import Change
from console.knative.containers import Container
from console.knative.traffic import Problem
from console.web.forms.digest import DigestChoice

BLANK_ROWS = 3
MOST_ROWS = 500


@dataclass(slots=True)
class EnvRow:
    """One line of the table, as it stands in the form."""

    index: int
    name: str = ""
    value: str = ""
    action: str = "keep"  # keep, set, remove
    source: str = ""  # "", secret, config-map
    origin: str = ""  # where an existing value comes from, for showing
    exists: bool = False
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_odd(self) -> bool:
        return validation.is_odd_env_name(self.name)


class EnvForm:
    """The variables of one container. `rows` holds what was typed, so nothing is lost when something is wrong."""

    def __init__(
        self,
        container: Container,
        data: Mapping[str, Any] | None = None,
        digest: DigestChoice | None = None,
        *,
        is_sidecar: bool = False,
    ) -> None:
        self.container, self.is_sidecar = container, is_sidecar
        self.digest = digest or DigestChoice(container.name, {})
        self.data = data
        self.paste = str(data.get("paste", "")) if data else ""
        self.problems: list[Problem] = []
        self.rows = self._existing() if data is None else self._typed(data)
        if data is None:
            self.rows += [EnvRow(len(self.rows) + offset, action="set") for offset in range(BLANK_ROWS)]

    def is_valid(self) -> bool:
        """Read the paste, check every row; problems then stand on the rows."""
        pasted, self.problems = parse_env_lines(self.paste, is_sidecar=self.is_sidecar)
        for row in self.rows:
            if row.action != "set" or (not row.name and not row.value):
                continue
            name_problem = validation.env_name(row.name, is_sidecar=self.is_sidecar)
            checks = (name_problem, validation.env_value(row.value), self._source_problem(row))
            row.problems += [found for found in checks if found]
        kept = [row.name for row in self.rows if row.action == "keep" and row.exists]
        set_names = [row.name for row in self._wanted()]
        for name in validation.duplicates([*kept, *set_names]):
            found = Problem("env-name-duplicate", {"name": name})
            [row for row in self._wanted() if row.name == name][-1:][0].problems.append(found)
        for name in validation.duplicates([*set_names, *(entry.name for entry in pasted)]):
            if name in set_names:
                self.problems.append(Problem("env-name-duplicate", {"name": name}))
        return not self.problems and not any(row.problems for row in self.rows)

    @property
    def change(self) -> Change:
        """The change that a valid form means."""
        entries = [_entry(row) for row in self._wanted()]
        removed = tuple(row.name for row in self.rows if row.exists and row.action == "remove")
        set_env = SetEnv(
            self.container.name, (*entries, *parse_env_lines(self.paste, is_sidecar=self.is_sidecar)[0]), removed
        )
        return self.digest.with_(set_env)

    def _existing(self) -> list[EnvRow]:
        variables = enumerate(self.container.env)
        return [EnvRow(index, variable.name, origin=variable.source, exists=True) for index, variable in variables]

    def _typed(self, data: Mapping[str, Any]) -> list[EnvRow]:
        origins = {variable.name: variable.source for variable in self.container.env}
        count = str(data.get("rows", "0"))
        rows = []
        for index in range(min(int(count) if count.isdecimal() and len(count) < 10 else 0, MOST_ROWS)):
            exists = f"exists-{index}" in data
            name = str(data.get(f"name-{index}", "")).strip()
            value = str(data.get(f"value-{index}", ""))
            action = str(data.get(f"action-{index}", "set"))
            if exists and action == "keep" and value:
                action = "set"  # a value was typed: that is what is meant, also without JavaScript
            source = str(data.get(f"source-{index}", ""))
            rows.append(EnvRow(index, name, value, action, source, origins.get(name, "") if exists else "", exists))
        return rows

    def _wanted(self) -> list[EnvRow]:
        return [row for row in self.rows if row.action == "set" and (row.name or row.value)]

    @staticmethod
    def _source_problem(row: EnvRow) -> Problem | None:
        if not row.source:
            return None
        name, slash, key = row.value.partition("/")
        return None if slash and name and key else Problem("env-source-invalid")


def parse_env_lines(text: str, *, is_sidecar: bool = False) -> tuple[tuple[EnvEntry, ...], list[Problem]]:
    """Return the variables of a .env file and what is wrong with it; `export`, quotes and # comments are allowed."""
    entries: list[EnvEntry] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip().removeprefix("export ").strip()
        if not bare or bare.startswith("#"):
            continue
        name, equals, value = bare.partition("=")
        if not equals:
            problems.append(Problem("env-paste-line", {"line": number}))
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        entries.append(EnvEntry(name.strip(), value))
        name_problem = validation.env_name(name.strip(), is_sidecar=is_sidecar)
        problems += [found for found in (name_problem, validation.env_value(value)) if found]
    problems += [
        Problem("env-name-duplicate", {"name": name}) for name in validation.duplicates(e.name for e in entries)
    ]
    return tuple(entries), problems


def _entry(row: EnvRow) -> EnvEntry:
    if not row.source:
        return EnvEntry(row.name, row.value)
    name, _, key = row.value.partition("/")
    return EnvEntry(row.name, "", "secret" if row.source == "secret" else "config-map", name, key)
