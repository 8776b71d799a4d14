"""Setting and removing variables of a container."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from console.knative import newlines, validation
from console.knative.changes.base import Change, ChangeRefused, edited_template, find_container, result, set_or_remove
from console.knative.objects import Service
from console.knative.paths import FieldPath, container_path

REFERENCES = {"secret": "secretKeyRef", "config-map": "configMapKeyRef"}


class EnvPlace(NamedTuple):
    """One of several variables of the same name: the `nth`, from 0, of as many as were there when it was chosen."""

    name: str
    nth: int
    of: int


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """A variable to set: a literal value, or a key of a secret or config map.

    Of several of that name it is the last one, which wins; or the `nth` of `of`, when that one was chosen.
    """

    name: str
    value: str = ""
    source: Literal["", "secret", "config-map"] = ""
    object: str = ""
    key: str = ""
    nth: int | None = None
    of: int = 1

    def to_raw(self) -> dict[str, Any]:
        if not self.source:
            return {"name": self.name, "value": self.value}
        return {"name": self.name, "valueFrom": {REFERENCES[self.source]: {"name": self.object, "key": self.key}}}

    def over(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return the entry that takes the place of another; what the other says beyond its value stays.

        A value whose line ends alone differ came back from a browser as it was shown: it stays as it is.
        """
        if not self.source and "valueFrom" not in before:
            present = str(before.get("value") or "")
            if newlines.plain(present) == self.value:
                return before
        rest = {key: kept for key, kept in before.items() if key not in ("value", "valueFrom")}
        made = {**rest, **self.to_raw()}
        if self.source and (optional := _optional(before)) is not None:
            made["valueFrom"][REFERENCES[self.source]]["optional"] = optional
        return made


@dataclass(frozen=True, slots=True)
class SetEnv(Change):
    """Add, replace and remove variables; the order and all other variables stay as they are.

    `remove` takes every variable of a name away, `remove_at` one of several.
    """

    container: str
    set: tuple[EnvEntry, ...] = ()
    remove: tuple[str, ...] = ()
    remove_at: tuple[EnvPlace, ...] = ()
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        self._refuse_masks()
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        present = list(container.get("env") or ())
        positions = _positions(present)
        taken = {position for name in self.remove for position in positions.get(name, ())}
        taken |= {
            positions[place.name][place.nth]
            for place in self.remove_at
            if place.nth < place.of == len(positions.get(place.name, ()))  # else somebody removed one already
        }
        added: list[dict[str, Any]] = []
        for entry in self.set:
            position = _position(entry, present, positions.get(entry.name, ()), taken)
            if position is None:
                added.append(entry.to_raw())
            else:
                present[position] = entry.over(present[position])
        written = [entry for position, entry in enumerate(present) if position not in taken]
        set_or_remove(container, "env", [*written, *added] or None)
        return result(service, raw)

    def typed_values(self) -> frozenset[str]:
        return frozenset(entry.value for entry in self.set if not entry.source)

    def touches(self) -> frozenset[FieldPath]:
        names = [entry.name for entry in self.set] + list(self.remove) + [place.name for place in self.remove_at]
        return frozenset(container_path(self.container, "env", name) for name in names)

    def _refuse_masks(self) -> None:
        for entry in self.set:
            if found := validation.masked(entry.value):
                raise ChangeRefused(found)


def _positions(env: Iterable[dict[str, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, entry in enumerate(env):
        found.setdefault(str(entry.get("name", "")), []).append(position)
    return found


def _position(entry: EnvEntry, env: list[dict[str, Any]], positions: Iterable[int], taken: set[int]) -> int | None:
    """Return where the variable is to be written; None for one that is not there.

    When as many of its name are there as were seen, the chosen one. Else one that says the same already (a worker may
    apply a change for the second time), or the last.
    """
    there = list(positions)
    if entry.nth is not None and entry.nth < entry.of == len(there):
        return there[entry.nth]
    left = [position for position in there if position not in taken]
    same = [position for position in left if entry.over(env[position]) == env[position]]
    if entry.nth is not None and same:
        return same[-1]
    return left[-1] if left else None


def _optional(entry: dict[str, Any]) -> bool | None:
    origin = entry.get("valueFrom") or {}
    for reference in REFERENCES.values():
        if isinstance(origin.get(reference), dict):
            found: bool | None = origin[reference].get("optional")
            return found
    return None
