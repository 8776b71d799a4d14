"""Rows of the settings: sources of variables, mounts, resources, tolerations. What a row says, and how it is judged."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.knative import validation
from console.knative.changes import EnvSource
from console.knative.changes.volumes import Kind, items_of
from console.knative.problems import Problem
from console.web import words
from console.web.forms.rows import Row, RowForm, row_syntax
from console.web.forms.shown import ON
from console.web.forms.text_fields import Syntax

Mount = tuple[str, Kind, str, tuple[tuple[str, str], ...]]  # path, kind, object, options
Resource = tuple[str, str, str]  # name, request, limit
Toleration = tuple[tuple[str, str], ...]  # the fields of the API, in their order

SECRET = ("secret", "Secret")
CONFIG_MAP = ("config-map", "ConfigMap")


def _text(label: Any, names: str = "", **attrs: str) -> forms.CharField:
    """A text of one line; `names`: the datalist that it may be chosen from."""
    attrs |= {"list": names} if names else {}
    return forms.CharField(label=label, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", **attrs}))


class SourceRow(RowForm):
    """All keys of a Secret or ConfigMap as environment variables."""

    defaults = {"kind": "secret"}

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[SECRET, CONFIG_MAP])
    name = _text(gettext_lazy("Name"), "source-names")
    prefix = _text(gettext_lazy("Prefix"), placeholder="APP_")  # type: ignore[assignment]  # a field, by the metaclass
    optional = forms.BooleanField(label=gettext_lazy("Optional"))

    def clean_name(self) -> str:
        return _object_name(self.cleaned_data["name"])

    def clean_prefix(self) -> str:
        prefix: str = self.cleaned_data["prefix"]
        return _checked(prefix, validation.env_name(f"{prefix}_") if prefix else None)


ACCESS_MODES = ("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany")
_SAID_OF_EACH_MOUNT = ("path", "kind", "read_only", "sub_path")
_SAID_OF_KIND = {  # a Secret or ConfigMap: its name, and single keys
    "claim": ("name",),
    "empty-dir": ("medium", "size"),
    "image": ("name", "pull_policy"),
    "ephemeral": ("size", "storage_class", "access_mode"),
}
_NAMELESS = ("empty-dir", "ephemeral")


class MountRow(RowForm):
    """A volume at a path."""

    defaults = {"kind": "secret"}
    more = ("sub_path", "items", "medium", "size", "pull_policy", "storage_class", "access_mode")

    path = _text(gettext_lazy("Path"), placeholder="/etc/app")
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            SECRET,
            CONFIG_MAP,
            ("claim", "PersistentVolumeClaim"),
            ("empty-dir", gettext_lazy("Empty directory")),
            ("image", gettext_lazy("Image")),
            ("ephemeral", gettext_lazy("Ephemeral volume")),
        ],
    )
    name = _text(gettext_lazy("Name"), "mount-names")
    read_only = forms.BooleanField(label=gettext_lazy("Read-only"))
    sub_path = _text(gettext_lazy("Subpath"))
    items = forms.CharField(
        label=gettext_lazy("Only these keys (key=file)"),
        widget=forms.Textarea({"rows": 2, "spellcheck": "false", "placeholder": "tls.crt=server.crt"}),
    )
    medium = forms.ChoiceField(
        label=gettext_lazy("Medium"), choices=[("", gettext_lazy("Disk")), ("Memory", gettext_lazy("Memory"))]
    )
    size = _text(gettext_lazy("Size"), placeholder="1Gi")
    pull_policy = forms.ChoiceField(
        label=gettext_lazy("Image pull policy"),
        choices=[("", gettext_lazy("Default")), *((name, name) for name in ("Always", "IfNotPresent", "Never"))],
    )
    storage_class = _text(gettext_lazy("Storage class"), placeholder="standard")
    access_mode = forms.ChoiceField(
        label=gettext_lazy("Access mode"),
        choices=[("", gettext_lazy("Default")), *((one, one) for one in ACCESS_MODES)],
    )

    @classmethod
    def said(cls, row: Row) -> Row:
        said = {*_SAID_OF_EACH_MOUNT, *_SAID_OF_KIND.get(row.get("kind", ""), ("name", "items"))}
        return {name: text for name, text in row.items() if name in said}

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        if not path.startswith("/") or ":" in path:
            raise forms.ValidationError(_("Enter an absolute path, for example /etc/app."))
        return path

    def clean_name(self) -> str:
        name, kind = self.cleaned_data["name"], self.cleaned_data.get("kind")
        if kind == "image":
            return _checked(name, validation.image(name))
        return name if kind in _NAMELESS else _object_name(name)

    def clean_items(self) -> str:
        text: str = self.cleaned_data["items"]
        if items_of(text) is None:
            raise forms.ValidationError(_("Use one key=file per line."))
        return text

    def clean_size(self) -> str:
        size: str = self.cleaned_data["size"]
        kind = self.cleaned_data.get("kind")
        if kind == "ephemeral" and not size:
            raise forms.ValidationError(_("Enter a size, for example 1Gi."))
        unused = kind not in _NAMELESS or not size
        return _checked(size, None if unused else validation.quantity(size))


class ResourceRow(RowForm):
    """Request and limit of a resource other than CPU and memory."""

    name = _text(gettext_lazy("Resource"), placeholder="nvidia.com/gpu")
    request = _text(gettext_lazy("Request"))
    limit = _text(gettext_lazy("Limit"))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name in ("cpu", "memory"):
            raise forms.ValidationError(_("CPU and memory have fields of their own above."))
        return _checked(name, validation.label(name, ""))

    def clean_request(self) -> str:
        return self._quantity("request")

    def clean_limit(self) -> str:
        return self._quantity("limit")

    def clean(self) -> None:
        if not self.errors and not (self.cleaned_data["request"] or self.cleaned_data["limit"]):
            self.add_error("limit", _("Enter a request or a limit."))

    def _quantity(self, field: str) -> str:
        text: str = self.cleaned_data[field]
        return _checked(text, validation.quantity(text) if text else None)


TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class TolerationRow(RowForm):
    """A taint of nodes that the pods tolerate."""

    key = _text(gettext_lazy("Key"), placeholder="gpu")
    operator = forms.ChoiceField(
        label=gettext_lazy("Operator"),
        choices=[("", gettext_lazy("Equal (default)")), ("Equal", "Equal"), ("Exists", "Exists")],
    )
    value = _text(gettext_lazy("Value"))
    effect = forms.ChoiceField(
        label=gettext_lazy("Taint effect"),
        choices=[("", gettext_lazy("Any effect")), *((one, one) for one in TAINT_EFFECTS)],
    )
    seconds = forms.IntegerField(
        label=gettext_lazy("Seconds"),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean(self) -> None:
        found = self.cleaned_data
        is_any = found.get("operator") == "Exists"
        if not found.get("key") and not is_any:
            self.add_error("key", _("Enter a key, or choose Exists to tolerate every taint."))
        elif found.get("key") and (problem := validation.label(found["key"], "")):
            self.add_error("key", words.problem(problem))
        if is_any and found.get("value"):
            self.add_error("value", _("Exists takes no value."))
        elif problem := validation.label("key", found.get("value", "")):
            self.add_error("value", words.problem(problem))
        if found.get("seconds") is not None and found.get("effect") != "NoExecute":
            self.add_error("seconds", _("Only NoExecute takes seconds."))


def _checked(text: str, problem: Problem | None) -> str:
    if problem:
        raise forms.ValidationError(words.problem(problem))
    return text


def _object_name(name: str) -> str:
    if not name:
        raise forms.ValidationError(_("Enter or choose a name."))
    if any(character in name for character in ' /="'):
        raise forms.ValidationError(_("“%(name)s” is not the name of an object."), params={"name": name[:60]})
    return name


def _source_of(row: Row) -> EnvSource:
    kind = cast(Any, row.get("kind") or "secret")
    return EnvSource(kind, row.get("name", ""), row.get("prefix", ""), bool(row.get("optional")))


def _source_row(source: EnvSource) -> Row:
    flag = {"optional": ON} if source.optional else {}
    return {"kind": source.kind, "name": source.name, "prefix": source.prefix, **flag}


# Options of a mount: how a change names them (console.knative.changes.volumes), and the controls.
_OPTIONS = {
    **{"sub-path": "sub_path", "items": "items", "medium": "medium", "size": "size"},
    **{"pull-policy": "pull_policy", "storage-class": "storage_class", "access-mode": "access_mode"},
}


def _mount_of(row: Row) -> Mount:
    options = {option: row[control] for option, control in _OPTIONS.items() if control in row}
    options |= {"read-only": "true"} if "read_only" in row else {}
    kind = cast(Kind, row.get("kind") or "secret")
    return row.get("path", ""), kind, row.get("name", ""), tuple(sorted(options.items()))


def _mount_row(mount: Mount) -> Row:
    path, kind, name, options = mount
    found = {_OPTIONS[option]: text for option, text in options if option in _OPTIONS}
    flag = {"read_only": ON} if "read-only" in dict(options) else {}
    return {"path": path, "kind": kind, "name": name, **found, **flag}


def _resource_of(row: Row) -> Resource:
    return row.get("name", ""), row.get("request", ""), row.get("limit", "")


def _resource_row(resource: Resource) -> Row:
    name, request, limit = resource
    return {"name": name, "request": request, "limit": limit}


_CONTROLS = {"key": "key", "operator": "operator", "value": "value", "effect": "effect", "tolerationSeconds": "seconds"}


def _toleration_of(row: Row) -> Toleration:
    return tuple((field, row[control]) for field, control in _CONTROLS.items() if row.get(control))


def _toleration_row(toleration: Toleration) -> Row:
    return {_CONTROLS[field]: text for field, text in toleration}


def toleration_of(raw: Mapping[str, Any]) -> Toleration | None:
    """Return what an entry of the API says; None for one that says more than a row can."""
    if set(raw) - set(_CONTROLS):
        return None
    found = tuple((field, str(raw[field])) for field in _CONTROLS if raw.get(field) not in ("", None))
    return found if TOLERATION.line(found) and toleration_raw(found) == _without_empty(raw) else None


def toleration_raw(toleration: Toleration) -> dict[str, Any]:
    """Return the entry of the API."""
    found: dict[str, Any] = dict(toleration)
    seconds = str(found.get("tolerationSeconds", ""))
    return {**found, "tolerationSeconds": int(seconds)} if seconds.removeprefix("-").isdecimal() else found


def _without_empty(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in raw.items() if value not in ("", None)}


def _mount_path(mount: Mount) -> str:
    return mount[0]


def _resource_name(resource: Resource) -> str:
    return resource[0]


SOURCE: Syntax[EnvSource] = row_syntax(SourceRow, _source_of, _source_row)
MOUNT: Syntax[Mount] = row_syntax(MountRow, _mount_of, _mount_row, _mount_path)
RESOURCE: Syntax[Resource] = row_syntax(ResourceRow, _resource_of, _resource_row, _resource_name)
TOLERATION: Syntax[Toleration] = row_syntax(TolerationRow, _toleration_of, _toleration_row)
