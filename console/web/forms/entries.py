"""Lines that are more than a word or a pair: sources of variables, mounts, resources, tolerations."""

import shlex
from collections.abc import Mapping
from typing import Any, Literal, cast

from django.utils.translation import gettext as _

from console.knative import validation
from console.knative.changes import EnvSource
from console.web import words
from console.web.forms.text_fields import Syntax

Kind = Literal["secret", "config-map", "empty-dir", "claim"]
Mount = tuple[str, Kind, str, tuple[tuple[str, str], ...]]  # path, kind, object, options
Resource = tuple[str, str, str]  # request or limit, name, quantity
Toleration = tuple[tuple[str, str], ...]  # the fields of the API, in their order


def _parts(line: str) -> list[str]:
    """Return the words of a line as a shell reads them; raises ValueError with the line."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ValueError(_("“%(line)s” has an unclosed quotation mark.") % {"line": line[:60]}) from error


def read_source(line: str) -> EnvSource:
    """`secret NAME` or `config-map NAME`, then `prefix=TEXT` and `optional`; raises ValueError."""
    parts = _parts(line)
    kind, name = (*parts, "", "")[:2]
    options = parts[2:]
    prefixes = [option.removeprefix("prefix=") for option in options if option.startswith("prefix=")]
    flags = [option for option in options if not option.startswith("prefix=")]
    if kind not in ("secret", "config-map") or not name or len(prefixes) > 1 or flags not in ([], ["optional"]):
        raise ValueError(_("“%(line)s” is neither “secret NAME” nor “config-map NAME”.") % {"line": line[:60]})
    return EnvSource(cast(Any, kind), name, "".join(prefixes), bool(flags))


def write_source(source: EnvSource) -> str:
    options = [f"prefix={source.prefix}"] if source.prefix else []
    return shlex.join([source.kind, source.name, *options, *(["optional"] if source.optional else [])])


def check_source(source: EnvSource) -> None:
    if any(character in source.name for character in " /="):
        line = write_source(source)
        raise ValueError(_("“%(line)s” is neither “secret NAME” nor “config-map NAME”.") % {"line": line[:60]})
    if source.prefix and (found := validation.env_name(f"{source.prefix}_")):
        raise ValueError(words.problem(found))


MOUNTED = ("secret", "config-map", "claim", "empty-dir")
_FLAGS = {"ro": ("read-only", "true"), "memory": ("medium", "Memory")}
_VALUES = {"sub=": "sub-path", "size=": "size", "medium=": "medium"}


def read_mount(line: str) -> Mount:
    """`/path secret NAME`, with `config-map`, `claim` or `empty-dir` for other kinds; raises ValueError.

    Options follow after it: `ro`, `sub=PATH`, and for an empty folder `size=1Gi` and `memory`.
    """
    parts = _parts(line)
    path, kind = (*parts, "", "")[:2]
    rest = parts[2:]
    wanted = 0 if kind == "empty-dir" else 1
    named, options = rest[:wanted], rest[wanted:]
    if kind not in MOUNTED or not path.startswith("/") or len(named) != wanted or named == [""]:
        raise ValueError(_("“%(line)s” does not follow the form “/path secret NAME”.") % {"line": line[:60]})
    found = [_option(part) for part in options]
    if not all(found) or len(dict(filter(None, found))) < len(found):
        raise ValueError(_("“%(line)s” has an option that is not valid there.") % {"line": line[:60]})
    return path, cast(Kind, kind), "".join(named), tuple(sorted(filter(None, found)))


def _option(part: str) -> tuple[str, str] | None:
    if part in _FLAGS:
        return _FLAGS[part]
    prefix = next((prefix for prefix in _VALUES if part.startswith(prefix)), "")
    value = part.removeprefix(prefix)
    return (_VALUES[prefix], value) if prefix and value else None


def check_mount(mount: Mount) -> None:
    _path, kind, _name, options = mount
    sizes = [value for option, value in options if option == "size"]
    folder = {"medium", "size"} & {option for option, _value in options}
    if (kind != "empty-dir" and folder) or any(validation.quantity(size) for size in sizes):
        line = write_mount(mount)
        raise ValueError(_("“%(line)s” has an option that is not valid there.") % {"line": line[:60]})


def write_mount(mount: Mount) -> str:
    path, kind, name, options = mount
    flags = {meant: word for word, meant in _FLAGS.items()}
    prefixes = {option: prefix for prefix, option in _VALUES.items()}
    words = [flags.get((option, value)) or f"{prefixes[option]}{value}" for option, value in options]
    return shlex.join([path, kind, *([name] if name else []), *words])


def read_resource(line: str) -> Resource:
    """`request NAME=QUANTITY` or `limit NAME=QUANTITY`; raises ValueError."""
    kind, _space, rest = line.partition(" ")
    name, equals, value = rest.strip().partition("=")
    if kind not in ("request", "limit") or not equals or name in ("", "cpu", "memory"):
        raise ValueError(_("“%(line)s” does not follow the form “limit NAME=QUANTITY”.") % {"line": line[:60]})
    return kind, name, value


def check_resource(resource: Resource) -> None:
    _kind, name, value = resource
    if found := validation.label(name, "") or validation.quantity(value):
        raise ValueError(words.problem(found))


def write_resource(resource: Resource) -> str:
    kind, name, value = resource
    return f"{kind} {name}={value}"


EFFECTS = ("", "NoSchedule", "PreferNoSchedule", "NoExecute")


def read_toleration(line: str) -> Toleration:
    """`key[=value][:effect]`, as kubectl writes a taint."""
    rest, _colon, effect = line.partition(":")
    key, equals, value = rest.partition("=")
    meant = {"key": key, "operator": "Equal" if equals else "Exists", "value": value, "effect": effect}
    return tuple((word, text) for word, text in meant.items() if text)


def check_toleration(toleration: Toleration) -> None:
    found = dict(toleration)
    if problem := validation.label(found.get("key", ""), found.get("value", "")):
        raise ValueError(words.problem(problem))
    if (effect := found.get("effect", "")) not in EFFECTS:
        raise ValueError(_("“%(effect)s” is not a valid taint effect.") % {"effect": effect[:40]})


def write_toleration(toleration: Toleration) -> str:
    found = dict(toleration)
    value = f"={found.get('value', '')}" if found["operator"] == "Equal" else ""
    return f"{found.get('key', '')}{value}" + (f":{found['effect']}" if found.get("effect") else "")


def toleration_of(raw: Mapping[str, Any]) -> Toleration | None:
    """Return what an entry of the API says; None for one that says more than a line can."""
    if not raw.get("key") or set(raw) - {"key", "operator", "value", "effect"}:
        return None
    full = {**raw, "operator": raw.get("operator") or "Equal"}
    found = tuple((word, str(full[word])) for word in ("key", "operator", "value", "effect") if full.get(word))
    return found if TOLERATION.line(found) else None


def _mount_path(mount: Mount) -> str:
    return mount[0]


def _resource_key(resource: Resource) -> tuple[str, str]:
    return resource[:2]


SOURCE: Syntax[EnvSource] = Syntax(read_source, write_source, check_source)
MOUNT: Syntax[Mount] = Syntax(read_mount, write_mount, check_mount, _mount_path)
RESOURCE: Syntax[Resource] = Syntax(read_resource, write_resource, check_resource, _resource_key)
TOLERATION: Syntax[Toleration] = Syntax(read_toleration, write_toleration, check_toleration)
