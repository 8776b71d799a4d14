"""Reading the query of an address: what is not known is refused, with the parameter's name and what it may be."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from django.http import QueryDict

from console.web.api.problems import Refused
from console.web.api.queries import Query

_WHERE = re.compile(r"^(?P<told>.*) - at `\$\.(?P<name>\w+)`$")
MAX_SHOWN = 12  # values in a sentence; `allowed` has all


def read(query: QueryDict, kind: type[Query]) -> Query:
    """Return the parameters; raises Refused that names the one that is wrong."""
    for name, values in query.lists():
        if name not in kind.__struct_fields__:
            raise wrong(name[:50], "no such parameter", kind.__struct_fields__)
        if len(values) > 1:
            raise wrong(name, "given more than once")
    given = {name: text for name, text in query.dict().items() if text}
    try:
        found = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(str(error), kind) from error
    for name, text in given.items():
        if (allowed := choices(kind).get(name, ())) and text not in allowed:
            raise wrong(name, "not one of its values", allowed)
    return found


def wrong(name: str, told: str, allowed: tuple[str, ...] = ()) -> Refused:
    """Return the refusal of a parameter: what is wrong, and what it may be where that is a list."""
    more = f". Allowed: {', '.join(allowed[:MAX_SHOWN])}{', …' if len(allowed) > MAX_SHOWN else ''}" if allowed else ""
    return Refused("query-invalid", f"{name}: {told[:200]}{more}", parameter=name, allowed=allowed)


@cache
def choices(kind: type[Query]) -> Mapping[str, tuple[str, ...]]:
    """Return the values of each parameter that has a list of them."""
    _references, schemas = msgspec.json.schema_components([kind])
    fields = schemas[kind.__name__]["properties"]
    return {name: found for name, field in fields.items() if (found := _choices(field, schemas))}


def _choices(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[str, ...]:
    if reference := field.get("$ref"):
        return _choices(schemas[reference.rpartition("/")[2]], schemas)
    return tuple(map(str, field.get("enum", ())))


def _refused(error: str, kind: type[Query]) -> Refused:
    """msgspec's message; a check of the Struct itself begins with the name of the field."""
    if found := _WHERE.match(error):
        name, told = found["name"], found["told"]
    else:
        name, _colon, told = error.partition(": ")
    return wrong(name, told, choices(kind).get(name, ()))
