"""Fields of several lines: each line one word, one pair or one mount. What cannot be read is said with its line."""

import shlex
from collections.abc import Callable
from typing import Any, Literal, cast

from django import forms
from django.utils.translation import gettext as _

from console.knative import validation
from console.web import words

Kind = Literal["secret", "config-map", "empty-dir"]
Mount = tuple[str, Kind, str]  # path, kind, object
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
    """`/path secret NAME`, `/path config-map NAME` or `/path empty-dir`; raises ValueError."""
    parts = shlex.split(line)
    is_empty = len(parts) == 2 and parts[1] == "empty-dir"
    if not (is_empty or (len(parts) == 3 and parts[1] in ("secret", "config-map"))) or not parts[0].startswith("/"):
        raise ValueError(_("“%(line)s” is not “/path secret NAME” or the like.") % {"line": line[:60]})
    return parts[0], cast(Kind, parts[1]), parts[2] if len(parts) == 3 else ""


def probe(text: str) -> dict[str, Any] | None:
    """The handler that `http /path [port]` or `tcp [port]` means, None for an empty text; raises ValueError."""
    parts = text.split()
    if not parts:
        return None
    kind, *rest = parts
    port = int(rest.pop()) if rest and rest[-1].isdigit() else 0  # 0: Knative puts the service's own port
    if kind == "http" and len(rest) <= 1 and port < 65536 and all(path.startswith("/") for path in rest):
        return {"httpGet": {"path": rest[0] if rest else "/", "port": port}}
    if kind == "tcp" and not rest and port < 65536:
        return {"tcpSocket": {"port": port}}
    raise ValueError


def probe_text(found: dict[str, Any] | None) -> str | None:
    """The text of a probe's handler, or None for one that this form cannot say (exec, grpc, headers)."""
    if not found:
        return ""
    if set(found.get("httpGet") or {"": ""}) <= {"path", "port", "scheme"}:
        http = found["httpGet"]
        return f"http {http.get('path', '/')} {http.get('port') or ''}".strip()
    if "tcpSocket" in found:
        return f"tcp {found['tcpSocket'].get('port') or ''}".strip()
    return None
