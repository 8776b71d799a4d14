"""The values of variables behind masked differences, for those who may see them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.paths import FieldPath
from console.knative.redaction import MASK, env_values, secrets_of

_CONTAINERS: FieldPath = ("spec", "template", "spec", "containers")
MAX_CHARACTERS = 2000  # of one value in a table

Rule = Callable[[str], bool]


def unmask(
    rows: Iterable[FieldChange], before: Service, after: Service, *, old: Rule, new: Rule
) -> tuple[FieldChange, ...]:
    """Return the rows with each old and new value that its rule lets be seen; all else stays masked."""
    was, becomes = _literals(before), _literals(after)
    return tuple(
        replace(
            row,
            before=_value(before, was, row.path, row.before, old),
            after=_value(after, becomes, row.path, row.after, new),
        )
        for row in rows
    )


def names(rows: Iterable[FieldChange]) -> tuple[str, ...]:
    """Return `container/variable` of each row that is about a variable of a container."""
    found = (_variable(row.path) for row in rows)
    return tuple(dict.fromkeys(f"{place[0]}/{place[1]}" for place in found if place))


def _value(
    service: Service, literals: Mapping[tuple[str, str], str | None], path: FieldPath, shown: str | None, may_see: Rule
) -> str | None:
    place = _variable(path)
    if shown is not None and path == _CONTAINERS:
        return _whole(service, shown, may_see)
    if shown != MASK or place is None:
        return shown
    value = literals.get(place)
    if value is None or not may_see(value):
        return shown
    return value if len(value) <= MAX_CHARACTERS else f"{value[:MAX_CHARACTERS]}…"


def _whole(service: Service, shown: str, may_see: Rule) -> str:
    """Containers without names are shown as a whole: with their values when all of them may be seen."""
    if not all(map(may_see, env_values(service.raw) | secrets_of(service.raw))):
        return shown
    containers = [dict(container.raw) for container in service.containers]
    return json.dumps(containers, ensure_ascii=False, sort_keys=True, default=str)


def _literals(service: Service) -> dict[tuple[str, str], str | None]:
    """The values by container and variable; of several of one name the last, as the kubelet has it."""
    return {
        (container.name, one.name): one.value for container in reversed(service.containers) for one in container.env
    }


def _variable(path: FieldPath) -> tuple[str, str] | None:
    """Container and variable of a path `spec.template.spec.containers[NAME].env[NAME]`, with or without `.value`."""
    inner = path[3:]
    is_variable = path[:3] == ("spec", "template", "spec") and inner[:1] == ("containers",) and inner[2:3] == ("env",)
    return (inner[1], inner[3]) if is_variable and inner[4:] in ((), ("value",)) and len(inner) > 3 else None
