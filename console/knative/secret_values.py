"""Which values of an object must not be read in its messages.

Given are the literal values of its variables, header values of probes and hooks, credentials in arguments, annotations
and image names, and parts of these: the password of a URL, `password=...` of a connection string, a key of a JSON text.

A value that says nothing would only shred messages, so these stay:

- shorter than 4 characters;
- a name that every page about the object shows anyway: its own, its namespace, its containers, labels, images;
- a common word of configuration (`true`, `error`, `production`);
- up to 12 characters made of plain words of at most 8 letters and of numbers (`eu-central-1`, `/tmp/data`, `8080`,
  `256Mi`; not `s3cr3t`), unless the variable's name says that it is a secret (`DB_PASSWORD`, `API_KEY`).

Values that come from Secrets and ConfigMaps are unknown here: the console does not read those objects.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from console.knative.images import Reference
from console.knative.secret_texts import MIN_LENGTH, SECRET_NAME, credentials_in, is_suspicious

Raw = Mapping[str, Any]

MAX_PLAIN = 12  # characters of a value that its words make harmless
MAX_UNPACKED = 1 << 20  # bytes
MAX_UNPACKED_TIMES = 64  # the bytes that they were packed into; no object packs better, and a bomb does
MIN_PACKED = 40  # characters of base64; fewer hold no object
MAX_NESTED = 4  # objects written as text inside texts
KNATIVE_CONTAINER = "queue-proxy"  # its variables are Knative's own settings
KNATIVE_VARIABLES = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})

_COMMON_WORDS = """
    true false yes none null enabled disabled default auto always never debug info notice warn warning error critical
    fatal panic trace verbose production development staging testing test integration preview local localhost 127.0.0.1
    container containers configuration revision revisions service services kubernetes knative deployment namespace
    function functions application connection connections authentication authorization permission unauthorized
    forbidden password username administrator anonymous postgres postgresql mariadb mongodb cassandra rabbitmq memcached
    elasticsearch opensearch clickhouse prometheus opentelemetry structured logstash application/json text/plain
    readiness liveness initialize initializing unavailable available disconnected
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_SECRET_ENDING = re.compile(r"(?:passw(?:or)?d|passphrase|secret|token|credentials?|api[-_.]?key)$", re.IGNORECASE)
# As tuples with the usual type first: see console.knative.redaction.
_MAPPINGS = (dict, Mapping)
_LISTS = (list, tuple)
_HOLDERS = (str, list, dict, Mapping)  # what may hold a text
_BEGINS_JSON = frozenset('{["')
_PLAIN = re.compile(r"[A-Za-z]?[a-z]{1,7}|[A-Z]{1,8}|\d{1,5}[A-Za-z]{0,2}|\w{1,2}")
_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{MIN_PACKED},}}={{0,2}}\s*")
_YAML_ENV = re.compile(r"^[ \t-]*(?:env|httpHeaders):", re.MULTILINE)
_YAML_VALUE = re.compile(r"^[ \t-]*value:", re.MULTILINE)


def secrets_of(raw: Raw, *, is_plain: bool = False) -> frozenset[str]:
    """Return what the object holds and its messages must not show.

    `is_plain`: it is as console.knative.plain_objects says, and less of it needs to be looked at.
    """
    found = {
        part
        for name, value in _named_values(raw, is_plain=is_plain)
        for part, is_secret in _parts(name, value)
        if not is_ordinary(part, is_secret=is_secret)
    }
    names = _public_names(raw) if found else frozenset()
    return frozenset(part for part in found if part.strip().casefold() not in names)


def is_ordinary(value: str, names: frozenset[str] = frozenset(), *, is_secret: bool = False) -> bool:
    """Whether the value is no secret, so that masking it would only hurt texts. `is_secret`: its name says so."""
    plain = value.strip().casefold()
    if len(value.strip()) < MIN_LENGTH or plain in names or plain in _COMMON:
        return True
    if is_secret or len(value) > MAX_PLAIN:
        return False
    return all(_PLAIN.fullmatch(word) for word in re.split(r"[\W_]+", value) if word)


def env_values(raw: Raw) -> frozenset[str]:
    """Return every literal value of a variable of the object."""
    return frozenset(value for _name, value in _variables_of(_own_containers(raw)))


def containers(raw: Raw) -> list[dict[str, Any]]:
    """Return the containers of every kind of a Service, Configuration, Revision or Pod."""
    spec = _mapping(raw.get("spec"))
    pod_spec = _mapping(_mapping(spec.get("template")).get("spec")) or spec
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return [container for kind in kinds for container in _mappings(pod_spec.get(kind))]


def _own_containers(raw: Raw) -> list[dict[str, Any]]:
    """Those that somebody wrote."""
    return [container for container in containers(raw) if container.get("name") != KNATIVE_CONTAINER]


def _mapping(value: Any) -> Raw:
    """The value where it is an object, else an empty one: what is read here may be anybody's JSON."""
    return value if isinstance(value, _MAPPINGS) else {}


def _mappings(value: Any) -> list[Any]:
    return [entry for entry in value if isinstance(entry, _MAPPINGS)] if isinstance(value, _LISTS) else []


@lru_cache(maxsize=1024)  # names come again on every object
def is_secret_name(name: str) -> bool:
    """Whether the name of a variable, flag, key or header says that its value is a credential."""
    return bool(SECRET_NAME.search(name))


def secret_words(words: Sequence[Any]) -> list[bool]:
    """Tell for each argument whether it is, as a whole, the value of the flag before it: `--password`, `x`."""
    flags = [str(word) for word in words]
    return [
        bool(index)
        and not word.startswith("-")
        and flags[index - 1].startswith("-")
        and "=" not in flags[index - 1]
        and is_secret_name(flags[index - 1].lstrip("-"))
        for index, word in enumerate(flags)
    ]


def copies_object(text: str) -> bool:
    """Whether the text is a copy of an object with containers, variables or headers, as deployment tools keep it.

    JSON, JSON inside JSON, YAML, and each of them in base64, compressed or not.
    """
    if holds_nothing(text):
        return False
    if any("value:" in one and _YAML_ENV.search(one) and _YAML_VALUE.search(one) for one in (text, unpacked(text))):
        return True
    return any(_has_containers(value) for value in _json_in(text))


def holds_nothing(text: str) -> bool:
    """Whether the text is too short for YAML with variables and for base64, and no JSON: as most annotations are."""
    return len(text) < MIN_PACKED and "value:" not in text and text.lstrip()[:1] not in _BEGINS_JSON


def unpacked(text: str) -> str:
    """Return what base64 hides, decompressed; empty where the text is nothing of the kind."""
    if len(text) < MIN_PACKED or not _BASE64.fullmatch(text):
        return ""
    try:
        raw = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"))
        if raw[:2] == b"\x1f\x8b":
            limit = min(MAX_UNPACKED, MAX_UNPACKED_TIMES * len(raw))
            raw = zlib.decompressobj(wbits=31).decompress(raw, limit)
        return raw.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return ""


def _public_names(raw: Raw) -> frozenset[str]:
    """What pages, paths and the list of services show of the object to everybody who may see it."""
    metadata, spec = _mapping(raw.get("metadata")), _mapping(raw.get("spec"))
    inner = _mapping(_mapping(spec.get("template")).get("metadata"))
    found = [metadata.get("name"), metadata.get("namespace"), inner.get("name"), spec.get("serviceAccountName")]
    for holder in (metadata, inner):
        found += _mapping(holder.get("labels")).values()
    for container in containers(raw):
        image = Reference.read(str(container.get("image", "")))
        found += [container.get("name"), container.get("image"), image.repository, *image.repository.split("/")]
        found += [entry.get("name") for entry in _mappings(container.get("env"))]
    url = str(_mapping(raw.get("status")).get("url", ""))
    found += [url, url.partition("://")[2]]
    found += [target.get("tag") for target in _mappings(spec.get("traffic"))]
    return frozenset(str(name).casefold() for name in found if name)


def _named_values(raw: Raw, *, is_plain: bool) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of whatever may be secret in the object; the name is empty where there is none.

    A plain container has nothing of the kind besides its variables and its arguments.
    """
    own = _own_containers(raw)
    yield from _variables_of(own)
    for container in own:
        yield from _of_arguments(container) if is_plain else _within(container)
    for annotations in _annotations(raw):
        for key, value in annotations.items():
            yield from _of_annotation(str(key), str(value))


def _variables_of(own: Iterable[Raw]) -> Iterator[tuple[str, str]]:
    for container in own:
        for entry in _mappings(container.get("env")):
            if entry.get("value") and entry.get("name") not in KNATIVE_VARIABLES:
                yield str(entry.get("name", "")), str(entry["value"])


def _within(value: Any, *, with_env: bool = False) -> Iterator[tuple[str, str]]:
    """Headers, words of commands and credentials in texts, wherever they are; and the variables of a copied object."""
    if isinstance(value, str):
        for found in credentials_in(value):
            yield "password", found
    elif isinstance(value, list):
        for entry in value:
            yield from _within(entry, with_env=with_env)
    elif isinstance(value, _MAPPINGS):
        for key, inner in value.items():
            if key == "httpHeaders" or (key == "env" and with_env):
                yield from _pairs(inner)
            elif key in ("args", "command"):
                yield from _of_words(inner)
            elif key != "env" and (is_suspicious(inner) if type(inner) is str else isinstance(inner, _HOLDERS)):
                yield from _within(inner, with_env=with_env)


def _of_arguments(container: Raw) -> Iterator[tuple[str, str]]:
    for key in ("args", "command"):
        if key in container:
            yield from _of_words(container[key])


def _of_words(words: Any) -> Iterator[tuple[str, str]]:
    words = [str(word) for word in words] if isinstance(words, list | tuple) else []
    for word, is_secret in zip(words, secret_words(words), strict=True):
        if is_secret:
            yield "password", word
        for found in credentials_in(word):
            yield "password", found


def _of_annotation(key: str, value: str) -> Iterator[tuple[str, str]]:
    if is_secret_annotation(key):
        yield key, value
    if not holds_nothing(value):
        yield from _copied(value)
    if is_suspicious(value):
        for found in credentials_in(value):
            yield "password", found


@lru_cache(maxsize=1024)  # keys come again on every object
def is_secret_annotation(key: str) -> bool:
    """Whether the last word of the key says that its value is a credential (`example.com/db-password`)."""
    return bool(_SECRET_ENDING.search(key))


def _annotations(raw: Raw) -> Iterator[Raw]:
    template = _mapping(_mapping(raw.get("spec")).get("template"))
    for holder in (raw, template):
        yield _mapping(_mapping(holder.get("metadata")).get("annotations"))


def _copied(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of whatever may be secret in an object that the text is a copy of."""
    for value in _json_in(text):
        yield from _within(value, with_env=True)


def _json_in(text: str, depth: int = 0) -> Iterator[Any]:
    """Yield the JSON that the text is, or that is packed into it, and JSON written as text inside that."""
    if depth >= MAX_NESTED:
        return
    if text.lstrip()[:1] in _BEGINS_JSON:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return
        yield found
        for inner in _texts(found):
            yield from _json_in(inner, depth + 1)
    elif inner := unpacked(text):
        yield from _json_in(inner, depth + 1)


def _has_containers(value: Any) -> bool:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping):
            if any(isinstance(one.get(key), list) and one[key] for key in ("containers", "env", "httpHeaders")):
                return True
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return False


def _texts(value: Any) -> Iterator[str]:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping | list):
            todo += one.values() if isinstance(one, Mapping) else one


def _pairs(entries: Any) -> Iterator[tuple[str, str]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping) and entry.get("value"):
            yield str(entry.get("name", "")), str(entry["value"])


def _parts(name: str, value: str) -> Iterator[tuple[str, bool]]:
    """Yield the value, and what in it is a credential by itself, each with whether its name says so."""
    yield value, is_secret_name(name)
    if is_suspicious(value):
        for found in credentials_in(value):
            yield found, True
            yield unquote(found), True
    scheme, _, credential = value.partition(" ")
    if credential and scheme.casefold() in ("bearer", "basic", "token"):
        yield credential, True
    if value.lstrip()[:1] in ("{", "["):
        yield from _keys(value)


def _keys(text: str) -> Iterator[tuple[str, bool]]:
    """The texts of a JSON text, each with whether its key names a credential."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return
    todo = [("", found)]
    while todo:
        key, value = todo.pop()
        if isinstance(value, Mapping):
            todo += [(str(inner), one) for inner, one in value.items()]
        elif isinstance(value, list):
            todo += [(key, one) for one in value]
        elif isinstance(value, str):
            yield value, is_secret_name(key)
