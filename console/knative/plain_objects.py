"""Objects of which one look shows that only a few known fields can hold a secret, as those of most services are.

A walk through an object in Python asks each text whether it may name a credential. Here all of the object but its
annotations, labels, variables and arguments is written as JSON, and searched at once: where none of what makes a text
suspicious is in it, no text of it is, and what a walk would return of it is what it was. In doubt an object is not
plain, and is walked through.
"""

import json
import re
from typing import Any, NamedTuple

import msgspec

from console.knative.secret_texts import BEGINS_OUTPUT, NEEDS

_OF_METADATA = ("annotations", "labels")
_OF_CONTAINER = ("env", "args", "command")
# Keys whose values are hidden by other rules than those of any text: taken out in the places where they belong, and
# anywhere else they make an object not plain. `path` and `message` are texts like others while no value is searched.
_RULED = ("annotations", "env", "args", "command", "httpHeaders")
_SEARCHED = ("path", "message")
_DIGEST = b"@sha256:"
# A superset of what console.knative.secret_texts finds before an @; a digest has no user part.
_URL_USER = re.compile(rb"://[^\s/?#@\"'<>]+@")


def _as_key(name: str) -> bytes:
    """How a key is written in JSON; a text that reads like it has its quotes escaped there."""
    return f'"{name}":'.lower().encode()


def _as_text(need: str) -> bytes:
    return json.dumps(need)[1:-1].lower().encode()


_EVERY_MARK = {*(_as_text(need) for need in NEEDS if need != "@"), *map(_as_key, _RULED), _as_text(BEGINS_OUTPUT)}
# Where one of two that hold each other is not found, the longer is not there either.
_MARKS = tuple(sorted(one for one in _EVERY_MARK if not any(other in one for other in _EVERY_MARK - {one})))
_SEARCHED_KEYS = tuple(map(_as_key, _SEARCHED))


class Taken(NamedTuple):
    """A field that was taken out of a mapping."""

    holder: dict[str, Any]
    name: str
    value: Any


def taken_apart(own: dict[str, Any]) -> tuple[dict[str, Any], list[Taken]]:
    """Return a copy of the object without the fields that have rules of their own, and those, to be put back.

    Only what fields were taken from is copied; the object itself stays as it is.
    """
    taken: list[Taken] = []
    rest = own.copy()
    _open(rest, "metadata", taken, _OF_METADATA)
    spec = _open(rest, "spec", taken)
    template = _open(spec, "template", taken)
    _open(template, "metadata", taken, _OF_METADATA)
    for pod in (spec, _open(template, "spec", taken)):
        if type(containers := pod.get("containers")) is list:
            pod["containers"] = [
                _without(one, taken, _OF_CONTAINER) if type(one) is dict else one for one in containers
            ]
    return rest, taken


def is_plain(rest: dict[str, Any]) -> bool:
    """Whether no text of the JSON is suspicious and no key of it has a rule of its own."""
    if (text := _json(rest)) is None:
        return False
    lowered = text.lower()
    return not any(mark in lowered for mark in _MARKS) and (b"@" not in text or _is_digests(text))


def is_searched(rest: dict[str, Any]) -> bool:
    """Whether the JSON, its status apart, has texts that an object's own values are searched in."""
    text = _json({key: value for key, value in rest.items() if key != "status"})
    return text is None or any(key in text.lower() for key in _SEARCHED_KEYS)


def _open(holder: dict[str, Any], key: str, taken: list[Taken], names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Put a copy of the mapping at the key in its place, without some fields, and return it; an empty one for none."""
    if type(found := holder.get(key)) is not dict:
        return {}
    opened = holder[key] = _without(found, taken, names)
    return opened


def _without(found: dict[str, Any], taken: list[Taken], names: tuple[str, ...]) -> dict[str, Any]:
    copy = found.copy()
    for name in names:
        if name in copy:
            taken.append(Taken(copy, name, copy.pop(name)))
    return copy


def _json(value: Any) -> bytes | None:
    """The JSON, None for what is none."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return None


def _is_digests(text: bytes) -> bool:
    """Whether each @ begins the digest of an image, which names nobody."""
    return text.count(b"@") == text.count(_DIGEST) and not _URL_USER.search(text)
