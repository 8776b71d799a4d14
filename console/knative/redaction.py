"""Keeping secret what may be secret in an object: values of variables and headers, credentials, copies of the object.

What is hidden, at every metadata and in every container:

- the values of variables and of `httpHeaders`;
- annotations that are a copy of an object, or whose key ends in the name of a credential;
- in other annotations, arguments, commands and messages: the object's own values (console.knative.secret_values) and
  what a text itself names as a credential (console.knative.secret_texts).

Labels stay: grants and rules select by them, and lists show them.
"""

import copy
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from console.knative.plain_objects import is_plain, is_searched, taken_apart
from console.knative.secret_texts import (
    BEGINS_OUTPUT,
    KNOWS_NOTHING,
    MASK,
    Hide,
    Redactor,
    hide_all,
    is_suspicious,
    redact_text,
    without_credentials,
)
from console.knative.secret_values import (
    containers,
    copies_object,
    env_values,
    is_secret_annotation,
    secret_words,
    secrets_of,
    unpacked,
)

__all__ = [
    "COPIES",
    "MASK",
    "SEALED",
    "MaskWithoutValue",
    "Redactor",
    "containers",
    "env_values",
    "hide_messages",
    "hide_texts",
    "mask_env",
    "put_back",
    "redact_text",
    "seal_env",
    "sealed",
    "secrets_of",
    "without_digests",
]

SEALED = "sealed:"
# Annotations in which tools keep whole copies of the object, values included.
COPIES = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
)
# Written by Knative, kn and this console: names of people, images, operations and moments.
_STAMPS = frozenset(
    {
        *("serving.knative.dev/creator", "serving.knative.dev/lastModifier", "client.knative.dev/updateTimestamp"),
        *("client.knative.dev/user-image", "sluice.dev/operation", "sluice.dev/changed-by", "sluice.dev/fenced-by"),
        "sluice.dev/changed-generation",
    }
)
# As tuples with the usual type first: checking an abstract class or a new union costs ten times as much.
_MAPPINGS = (dict, Mapping)
_LISTS = (list, tuple)
_SCALARS = frozenset({bool, int, float, type(None)})
_HIDDEN = re.compile(rf"{MASK}[0-9a-f]{{16}}")


class MaskWithoutValue(Exception):
    """A mask is where the object has no value that it could replace. The message is the field's name."""


def seal_env(raw: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return the object with each secret replaced by a keyed digest: for keeping where it may be read.

    A value of a variable becomes `sealed:` and 16 hex digits, any other secret the mask and 16 hex digits. Equal
    secrets of one installation have equal digests, so two revisions can be compared without their values;
    `without_digests` takes them away. Messages get the mask alone. managedFields and annotations of COPIES are dropped.
    """
    return _Hiding(raw, lambda value: sealed(value, key), _marking(key)).quickly()


def sealed(value: str, key: bytes) -> str:
    """Return what `seal_env` puts in the place of a variable's value."""
    return SEALED + _digest(value, key) if value else ""


def hide_texts(raw: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return a sealed object with what an earlier version of this console did not hide yet hidden too."""
    return _Hiding(raw, lambda value: value, _marking(key)).object()


def mask_env(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with each secret replaced by the mask, for showing."""
    found: dict[str, Any] = without_digests(_Hiding(raw, hide_all, hide_all).object())
    return found


def hide_messages(raw: Mapping[str, Any], secrets: Iterable[str] = ()) -> dict[str, Any]:
    """Return the object with its status hidden alone, by its own secrets and the given ones."""
    redact = Redactor({*secrets_of(raw), *secrets})
    return {**raw, "status": _status_hidden(raw, redact)} if raw.get("status") else dict(raw)


def without_digests(value: Any) -> Any:
    """Return the JSON (or a text) without the digests of hidden texts."""
    if isinstance(value, str):
        return _HIDDEN.sub(MASK, value) if MASK in value else value
    if isinstance(value, _MAPPINGS):
        return {key: without_digests(inner) for key, inner in value.items()}
    return [without_digests(inner) for inner in value] if isinstance(value, list | tuple) else value


def put_back(edited: Any, present: Mapping[str, Any]) -> Any:
    """Return an edited object with each text that a mask was left in as `present` has it.

    Raises MaskWithoutValue where no text of `present` at the same place would be shown like that. Variables are left
    alone: those who edit them know them by name.
    """
    return _put_back(edited, present, mask_env(present), "") if _holds_mask(edited) else edited


class _Hiding:
    """One walk through one object. `hide_value` is for variables, `hide` for all else.

    It meets every text of every object that the mirror takes in: most are names, which must cost next to nothing.
    """

    def __init__(self, raw: Mapping[str, Any], hide_value: Hide, hide: Hide) -> None:
        self._raw, self._hide_value, self._hide = raw, hide_value, hide

    def quickly(self) -> dict[str, Any]:
        """What `object` returns, equal in all; of a plain object it shares with the given one what was not changed."""
        rest, taken = taken_apart(self._own())
        if not is_plain(rest):
            return self.object()
        self._know(secrets_of(self._raw, is_plain=True))
        if self._messages.knows_any:
            if is_searched(rest):
                return self.object()
            self._hide_status(rest)
        for holder, name, value in taken:
            holder[name] = _Hiding._FIELDS[name](self, value)
        return rest

    def object(self) -> dict[str, Any]:
        self._know(secrets_of(self._raw))
        hidden = self._mapping({key: value for key, value in self._own().items() if key != "status"})
        self._hide_status(hidden)
        return hidden

    def _own(self) -> dict[str, Any]:
        """The object without what machines write for themselves."""
        own = {**self._raw}
        if isinstance(metadata := own.get("metadata"), _MAPPINGS):
            own["metadata"] = _without_copies(metadata)
        return own

    def _know(self, secrets: frozenset[str]) -> None:
        self._messages = Redactor(secrets) if secrets else KNOWS_NOTHING
        self._redact = self._messages.with_hide(self._hide)

    def _hide_status(self, hidden: dict[str, Any]) -> None:
        if "status" in self._raw:
            hidden["status"] = _status_hidden(self._raw, self._messages)

    def _mapping(self, value: Mapping[str, Any]) -> dict[str, Any]:
        fields, hidden = _Hiding._FIELDS, {}
        for key, inner in value.items():
            if key in fields:
                hidden[key] = fields[key](self, inner)
            elif type(inner) is str:  # most are; without a call for each
                hidden[key] = without_credentials(inner, self._hide) if is_suspicious(inner) else inner
            else:
                hidden[key] = inner if type(inner) in _SCALARS else self._any(inner)
        return hidden

    def _text(self, value: Any) -> Any:
        return self._redact(value) if isinstance(value, str) else self._any(value)

    def _annotations(self, value: Any) -> Any:
        if not isinstance(value, _MAPPINGS):
            return self._any(value)
        return {name: self._annotation(str(name), text) for name, text in value.items()}

    def _any(self, value: Any) -> Any:
        if isinstance(value, str):
            return without_credentials(value, self._hide)
        if isinstance(value, _LISTS):
            return [self._any(inner) for inner in value]
        return self._mapping(value) if isinstance(value, _MAPPINGS) else value

    def _annotation(self, key: str, value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value
        if key in _STAMPS:
            return without_credentials(value, self._hide)
        if key in COPIES or is_secret_annotation(key) or copies_object(value):
            return self._hide(value)
        inner = unpacked(value)
        return self._hide(value) if inner and self._messages(inner) != inner else self._redact(value)

    def _variables(self, entries: Any) -> Any:
        return self._values(entries, self._hide_value)

    def _headers(self, entries: Any) -> Any:
        return self._values(entries, self._hide)

    def _values(self, entries: Any, hide: Hide) -> Any:
        if not isinstance(entries, _LISTS):
            return self._any(entries)
        return [
            {**self._mapping(entry), "value": hide(_as_text(entry["value"]))}
            if isinstance(entry, _MAPPINGS) and entry.get("value")
            else self._any(entry)
            for entry in entries
        ]

    def _words(self, words: Any) -> Any:
        if not isinstance(words, list | tuple):
            return self._any(words)
        return [
            word if not isinstance(word, str) else self._hide(word) if is_secret and word else self._redact(word)
            for word, is_secret in zip(words, secret_words(words), strict=True)
        ]

    def _kept(self, value: Any) -> Any:
        """Labels and selectors, which are shown as they are."""
        return {**value} if _is_flat(value) else copy.deepcopy(value)

    # What is done with a field of any mapping, by its name; all others are `_any`.
    _FIELDS: ClassVar[dict[str, Callable[["_Hiding", Any], Any]]] = {
        **dict.fromkeys(("labels", "matchLabels", "nodeSelector"), _kept),
        **dict.fromkeys(("args", "command"), _words),
        **dict.fromkeys(("path", "message"), _text),
        "annotations": _annotations,
        "env": _variables,
        "httpHeaders": _headers,
    }


def _is_flat(value: Any) -> bool:
    return type(value) is dict and all(type(inner) is str for inner in value.values())


def _without_copies(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The object's metadata without what machines write for themselves; in a template it would be missed."""
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    if isinstance(annotations := kept.get("annotations"), Mapping):
        kept["annotations"] = {name: text for name, text in annotations.items() if name not in COPIES}
    return kept


def _marking(key: bytes) -> Hide:
    """The mask and a digest, once: what is hidden already stays as it is."""
    return lambda value: value if _HIDDEN.fullmatch(value) else MASK + _digest(value, key)


def _digest(value: str, key: bytes) -> str:
    return hmac.new(key, value.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:16]


def _status_hidden(raw: Mapping[str, Any], redact: Hide) -> Any:
    """The status with its messages redacted. What a container of another spec printed is left out as a whole."""
    return _messages_hidden(raw["status"], redact if _speaks_of_itself(raw) else lambda text: redact(_no_output(text)))


def _speaks_of_itself(raw: Mapping[str, Any]) -> bool:
    """Whether the status is about the values that the object holds.

    A Route holds none, and a Service that its controller has not met yet tells of the values that it had before.
    """
    if "template" not in (raw.get("spec") or {}):
        return bool(containers(raw))
    return bool((raw.get("metadata") or {}).get("generation") == raw["status"].get("observedGeneration"))


def _no_output(text: str) -> str:
    begin, quotes, output = text.partition(BEGINS_OUTPUT)
    return f"{begin}{quotes}{MASK}" if output else text


def _messages_hidden(value: Any, redact: Hide) -> Any:
    """A status with its messages redacted; names, URLs and digests stay, and so does what reads like them."""
    if isinstance(value, str):
        return without_credentials(value)
    if isinstance(value, _LISTS):
        return [_messages_hidden(inner, redact) for inner in value]
    if not isinstance(value, _MAPPINGS):
        return value
    hidden = {}
    for key, inner in value.items():
        if type(inner) is not str:
            hidden[key] = inner if type(inner) in _SCALARS else _messages_hidden(inner, redact)
        elif key == "message":
            hidden[key] = redact(inner)
        else:
            hidden[key] = without_credentials(inner) if is_suspicious(inner) else inner
    return hidden


def _as_text(value: Any) -> str:
    """A number where a text belongs is another value than its digits."""
    return value if isinstance(value, str) else f"\0{value!r}"


def _holds_mask(value: Any) -> bool:
    if isinstance(value, Mapping | list | tuple):
        return any(_holds_mask(inner) for inner in (value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, str) and MASK in value


def _put_back(edited: Any, present: Any, masked: Any, field: str) -> Any:
    if isinstance(edited, Mapping):
        old, hidden = (one if isinstance(one, Mapping) else {} for one in (present, masked))
        return {
            key: inner if key == "env" else _put_back(inner, old.get(key), hidden.get(key), str(key))
            for key, inner in edited.items()
        }
    if isinstance(edited, list | tuple):
        return _list_put_back(edited, present, masked, field)
    if not isinstance(edited, str) or MASK not in edited:
        return edited
    if isinstance(present, str) and without_digests(edited) in (masked, without_digests(present)):
        return present
    raise MaskWithoutValue(field)


def _list_put_back(edited: Iterable[Any], present: Any, masked: Any, field: str) -> list[Any]:
    """Entries with a name are matched by it, others by how they are shown, in their order."""
    is_shown = isinstance(present, list | tuple) and isinstance(masked, list | tuple)  # managedFields are not
    left = dict(enumerate(zip(present, masked, strict=True))) if is_shown else {}
    places: dict[str, list[int]] = {}
    for index in reversed(left):
        places.setdefault(_identity(left[index][1]), []).append(index)
    found = []
    for entry in edited:
        same = places.get(_identity(entry), [])
        while same and same[-1] not in left:  # an entry without a name took it
            same.pop()
        index = same.pop() if same else None
        if index is None and isinstance(entry, Mapping) and "name" not in entry and left:
            index = next(iter(left))  # an edited entry without a name: the next that is left
        old, hidden = left.pop(index) if index is not None else (None, None)
        found.append(_put_back(entry, old, hidden, field))
    return found


def _identity(entry: Any) -> str:
    """What two entries of a list have in common that are the same one: their name, else how they are shown."""
    shown = [entry["name"]] if isinstance(entry, Mapping) and "name" in entry else without_digests(entry)
    return json.dumps(shown, sort_keys=True, default=str)
