"""Fields of several lines: each line one word, one pair or one mount. What cannot be read is said with its line."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from django import forms
from django.utils.translation import gettext as _

from console.knative import validation
from console.web import words

Kind = Literal["secret", "config-map", "empty-dir", "claim"]
Mount = tuple[str, Kind, str, tuple[tuple[str, str], ...]]  # path, kind, object, options
MOST_LINES = 200


class LinesField(forms.CharField):
    """A text of lines, cleaned to a tuple of what `read` makes of each; empty lines do not count."""

    def __init__(self, read: Callable[[str], Any], *, example: str, **more: Any) -> None:
        attrs = {"rows": 3, "placeholder": example, "spellcheck": "false"}
        super().__init__(required=False, widget=forms.Textarea(attrs=attrs), **more)
        self.read = read

    def to_python(self, value: Any) -> Any:
        found = []
        for number, line in enumerate(str(value or "").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                found.append(self.read(line.strip()))
            except ValueError as error:
                message = str(error) or _("Line %(number)s cannot be read.") % {"number": number}
                raise forms.ValidationError(message) from error
        if len(found) > MOST_LINES:
            raise forms.ValidationError(_("At most %(count)s lines fit.") % {"count": MOST_LINES})
        return tuple(found)


def word(line: str) -> str:
    """The line as it stands: one argument, one name."""
    return line


def name(line: str) -> str:
    """The name of a secret or another object; raises ValueError."""
    if " " in line or "/" in line or "=" in line:
        raise ValueError
    return line


def label(line: str) -> tuple[str, str]:
    """`key=value` of a label; raises ValueError with what is wrong."""
    key, value = pair(line)
    if found := validation.label(key, value):
        raise ValueError(words.problem(found))
    return key, value


def annotation(line: str) -> tuple[str, str]:
    """`key=value` of an annotation, whose value may be anything; raises ValueError with what is wrong."""
    key, value = pair(line)
    if found := validation.label(key, ""):
        raise ValueError(words.problem(found))
    return key, value


def pair(line: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    if not equals:
        raise ValueError(_("“%(line)s” is not key=value.") % {"line": line[:60]})
    return key.strip(), value.strip()


def origin(line: str) -> tuple[str, str]:
    """`secret NAME` or `config-map NAME`, all of whose keys become variables; raises ValueError."""
    kind, _space, named = line.partition(" ")
    if kind not in ("secret", "config-map") or not named.strip():
        raise ValueError(_("“%(line)s” is neither “secret NAME” nor “config-map NAME”.") % {"line": line[:60]})
    return kind, name(named.strip())


def mount(line: str) -> Mount:
    """`/path secret NAME`, with `config-map`, `claim` or `empty-dir` for other kinds; raises ValueError.

    Options stand behind it: `ro`, `sub=PATH`, and for an empty folder `size=1Gi` and `memory`.
    """
    parts = shlex.split(line)
    path, kind = (*parts, "", "")[:2]
    rest = parts[2:]
    named = [part for part in rest if part not in _FLAGS and not part.startswith(tuple(_VALUES))]
    options = [part for part in rest if part not in named]
    wanted = 0 if kind == "empty-dir" else 1
    if kind not in MOUNTED or not path.startswith("/") or len(named) != wanted:
        raise ValueError(_("“%(line)s” is not “/path secret NAME” or the like.") % {"line": line[:60]})
    found = {_FLAGS[part][0]: _FLAGS[part][1] for part in options if part in _FLAGS}
    found |= {_VALUES[word]: part.removeprefix(word) for part in options for word in _VALUES if part.startswith(word)}
    if not all(found.values()) or not _fits(kind, found):
        raise ValueError(_("“%(line)s” has an option that does not belong there.") % {"line": line[:60]})
    return path, cast(Kind, kind), named[0] if named else "", tuple(sorted(found.items()))


MOUNTED = ("secret", "config-map", "claim", "empty-dir")
_FLAGS = {"ro": ("read-only", "true"), "memory": ("medium", "Memory")}
_VALUES = {"sub=": "sub-path", "size=": "size"}


def _fits(kind: str, options: dict[str, str]) -> bool:
    folder = {"medium", "size"} & set(options)
    return (kind == "empty-dir" or not folder) and not (
        "size" in options and validation.quantity(options["size"]) is not None
    )


def mount_text(found: Mount) -> str:
    """The line of a mount."""
    path, kind, name, options = found
    words = [path, kind, *([name] if name else [])]
    short = {meant: word for word, meant in _FLAGS.items()}
    for option, value in options:
        word = next((word for word, meant in _VALUES.items() if meant == option), "")
        words.append(short.get((option, value)) or f"{word}{value}")
    return shlex.join(words)


def resource(line: str) -> tuple[str, str, str]:
    """`request NAME=QUANTITY` or `limit NAME=QUANTITY`; raises ValueError with what is wrong."""
    kind, _space, rest = line.partition(" ")
    named, equals, value = rest.strip().partition("=")
    if kind not in ("request", "limit") or not equals or named in ("", "cpu", "memory"):
        raise ValueError(_("“%(line)s” is not “limit NAME=QUANTITY” or the like.") % {"line": line[:60]})
    if found := validation.label(named, "") or validation.quantity(value):
        raise ValueError(words.problem(found))
    return kind, named, value


def toleration(line: str) -> tuple[tuple[str, str], ...]:
    """`key[=value][:effect]`, as kubectl writes a taint; raises ValueError with what is wrong."""
    rest, _colon, effect = line.partition(":")
    key, equals, value = rest.partition("=")
    if found := validation.label(key, value):
        raise ValueError(words.problem(found))
    if effect not in ("", "NoSchedule", "PreferNoSchedule", "NoExecute"):
        raise ValueError(_("“%(effect)s” is no effect of a taint.") % {"effect": effect[:40]})
    meant = {"key": key, "operator": "Equal" if equals else "Exists", "value": value, "effect": effect}
    return tuple((word, text) for word, text in meant.items() if text)


def toleration_text(found: Mapping[str, Any]) -> str | None:
    """The line of a toleration, or None for one that a line cannot say."""
    if not found.get("key") or set(found) - {"key", "operator", "value", "effect"}:
        return None
    value = f"={found.get('value', '')}" if found.get("operator", "Equal") == "Equal" else ""
    return f"{found['key']}{value}" + (f":{found['effect']}" if found.get("effect") else "")
