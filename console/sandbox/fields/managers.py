"""metadata.managedFields: who wrote which field last, kept with each write, and what an apply may take from others.

An object without managedFields (a seeded one, or one whose client reset them) is not tracked until somebody applies, as
on a real server. The sets are kept as the bytes that readers are sent, so that reading costs no more than copying.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec

from console.sandbox import errors
from console.sandbox.fields.sets import (
    LEAF,
    Fields,
    as_json,
    difference,
    from_json,
    intersection,
    paths,
    spelled,
    union,
)
from console.sandbox.fields.sets import with_parents as whole
from console.sandbox.fields.typed import SAME, Comparison, Typed
from console.sandbox.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CONFIGMAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    ROLEBINDINGS,
    ROLES,
    SERVICEACCOUNTS,
    Resource,
)

Object = dict[str, Any]
APPLY, UPDATE = "Apply", "Update"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BEFORE_FIRST_APPLY = "before-first-apply"
# Fields that no manager owns: they name the object, or the server writes them.
UNOWNED = frozenset({
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
    "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
})  # fmt: skip
# What a new object of Kubernetes' own kinds holds before anybody wrote a field: Go's zero values.
_BLANK: Mapping[Resource, Object] = {
    NAMESPACES: {"spec": {}},
    PODS: {"spec": {"containers": None}},
    EVENTS: {
        "involvedObject": {}, "source": {}, "reportingComponent": "", "reportingInstance": "", "firstTimestamp": None,
        "lastTimestamp": None, "eventTime": None,
    },
    ROLES: {"rules": None},
    CLUSTERROLES: {"rules": None},
    ROLEBINDINGS: {"roleRef": {}},
    CLUSTERROLEBINDINGS: {"roleRef": {}},
}  # fmt: skip


_CONTROLLERS: Mapping[Resource, str] = {
    PODS: "kubelet",
    EVENTS: "kubelet",
    NAMESPACES: "kube-apiserver",
    CLUSTERROLES: "kube-apiserver",
    CLUSTERROLEBINDINGS: "kube-apiserver",
    CONFIGMAPS: "kube-controller-manager",
    SERVICEACCOUNTS: "kube-controller-manager",
}


class Manager(NamedTuple):
    """Who writes: a name, how, and through which subresource ("" for the object itself)."""

    name: str
    operation: str = UPDATE
    subresource: str = ""

    def told(self, version: str) -> str:
        """As messages name it."""
        text = f'"{self.name}"' + (f' with subresource "{self.subresource}"' if self.subresource else "")
        return f"{text} using {version}" if self.operation == UPDATE else text


@dataclass(frozen=True, slots=True)
class Entry:
    """One manager's fields, and when it took one last (RFC 3339)."""

    fields: Fields
    time: str


Entries = dict[Manager, Entry]


def controller_of(resource: Resource, subresource: str = "") -> Manager:
    """The manager that a cluster's own controllers are for a kind."""
    return Manager(_CONTROLLERS.get(resource, "controller"), UPDATE, subresource)


def without_managers(obj: Object) -> Object:
    """The object without its managedFields."""
    if "managedFields" not in obj["metadata"]:
        return obj
    return obj | {"metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def managed_as(obj: Object, current: Object) -> Object:
    """The object with the managedFields of another one: a controller's copy may be an old one."""
    managed = current["metadata"].get("managedFields")
    bare = without_managers(obj)
    return bare | {"metadata": bare["metadata"] | {"managedFields": managed}} if managed else bare


def compact(obj: Object) -> Object:
    """The reverse of `plain`, for objects that come from a file."""
    managed = obj["metadata"].get("managedFields")
    if not managed:
        return obj
    entries = [each | {"fieldsV1": msgspec.Raw(msgspec.json.encode(_read(each.get("fieldsV1"))))} for each in managed]
    return obj | {"metadata": obj["metadata"] | {"managedFields": entries}}


def plain(obj: Object) -> Object:
    """The object with managedFields that can be patched like anything else."""
    managed = obj["metadata"].get("managedFields")
    if not managed:
        return obj
    entries = [each | {"fieldsV1": _read(each.get("fieldsV1"))} for each in managed]
    return obj | {"metadata": obj["metadata"] | {"managedFields": entries}}


def updated(resource: Resource, live: Object | None, new: Object, manager: Manager, now: str) -> Object:
    """What `new` becomes with its managedFields after a create (no `live`), update or patch."""
    entries = _baseline(live, new, manager)
    new = without_managers(new)
    if live is not None and not entries:
        return new
    before = _BLANK.get(resource, {}) if live is None else live
    found = Typed(resource).compare(_owned(resource, before, manager), _owned(resource, new, manager))
    own = union(found.modified, found.added)
    if live is not None and found == SAME and entries == _entries(live):
        return new | {"metadata": new["metadata"] | {"managedFields": live["metadata"]["managedFields"]}}
    entries = _after(entries, found)
    if own:
        known = entries.get(manager)
        entries[manager] = Entry(union(known.fields, own) if known else own, now)
    return _with_entries(resource, new, entries)


def applied(
    resource: Resource, live: Object | None, config: Object, manager: Manager, now: str, *, force: bool
) -> Object:
    """What an apply of `config` makes of the live object; raises StatusError 409 unless `force`, or 500.

    1. The configuration is merged over the live object.
    2. What the manager applied last time and no longer does is removed, unless somebody else has it.
    3. What changes in fields of others is a conflict, or is taken from them.
    """
    typed = Typed(resource)
    entries = _entries(live) or _first_entries(resource, live, now)
    last = entries.get(manager)
    base: Object = without_managers(live) if live else {}
    new: Object = typed.merged(base, config)
    mine = typed.fields(_owned(resource, config, manager))
    if mine.get("f:metadata") == LEAF:  # it names the object and nothing else
        mine = {element: inner for element, inner in mine.items() if element != "f:metadata"}
    entries[manager] = Entry(mine, now)
    if last:
        new = _pruned(typed, new, entries, last.fields)
    found = typed.compare(_owned(resource, base, manager), _owned(resource, new, manager))
    others = {each: entry for each, entry in entries.items() if each != manager}
    if not force:
        _refuse_conflicts(resource, others, found, _last_of_kubectl(resource, live, manager))
    is_same = last is not None and last.fields == mine and new == base
    entries = _after(others, found)
    if mine:
        entries[manager] = last if last and is_same else Entry(mine, now)
    return _with_entries(resource, new, entries)


def _first_entries(resource: Resource, live: Object | None, now: str) -> Entries:
    """An object that was not tracked belongs to nobody in particular."""
    if live is None:
        return {}
    manager = Manager(BEFORE_FIRST_APPLY)
    return _entries(updated(resource, None, without_managers(live), manager, now))


def _pruned(typed: Typed, merged: Object, entries: Entries, last: Fields) -> Object:
    """The object without what only the last apply wanted (structured-merge-diff, Updater.prune)."""
    everybody: Fields = {}
    for entry in entries.values():
        everybody = union(everybody, entry.fields)
    present, before = whole(typed.fields(merged)), whole(last)
    left = whole(typed.fields(typed.without(merged, before)))
    unowned = difference(present, union(left, whole(everybody)))
    left = whole(typed.fields(typed.without(merged, unowned)))
    pruned: Object = typed.without(merged, intersection(difference(present, left), before))
    return pruned


def _last_of_kubectl(resource: Resource, live: Object | None, manager: Manager) -> Fields:
    """What kubectl's client applied last and is still so: its own apply on the server may take that from itself."""
    annotations = (live["metadata"].get("annotations") or {}) if live else {}
    if live is None or manager.name != "kubectl" or LAST_APPLIED not in annotations:
        return {}
    typed, last = Typed(resource), msgspec.json.decode(annotations[LAST_APPLIED])
    found = typed.compare(last, live)
    return difference(typed.fields(last), union(union(found.modified, found.added), found.removed))


def _refuse_conflicts(resource: Resource, others: Entries, found: Comparison, allowed: Fields) -> None:
    changed = difference(union(found.modified, found.added), allowed)
    conflicts = [
        (each.told(resource.api_version), spelled(path))
        for each, entry in others.items()
        for path in paths(intersection(entry.fields, changed))
    ]
    if conflicts:
        raise _conflict(conflicts)


def _conflict(conflicts: list[tuple[str, str]]) -> errors.StatusError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path}
        for manager, path in conflicts
    ]
    if len(conflicts) == 1:
        text = "1 conflict: conflict with {}: {}".format(*conflicts[0])
    else:
        lines = []
        for manager in sorted({manager for manager, _ in conflicts}):
            lines.append(f"conflicts with {manager}:")
            lines += [f"- {path}" for of, path in conflicts if of == manager]
        text = f"{len(conflicts)} conflicts: " + "\n".join(lines)
    return errors.StatusError(409, "Conflict", f"Apply failed with {text}", {"causes": causes})


def _after(entries: Entries, found: Comparison) -> Entries:
    """The others' fields after a change: what changed or went is no longer theirs."""
    lost = union(union(found.modified, found.added), found.removed)
    if not lost:
        return dict(entries)
    left = {each: replace(entry, fields=difference(entry.fields, lost)) for each, entry in entries.items()}
    return {each: entry for each, entry in left.items() if entry.fields}


def _owned(resource: Resource, obj: Object, manager: Manager) -> Object:
    """The part of an object that the write may own: status through its subresource only.

    Empty maps and lists of metadata, and of Kubernetes' own kinds, are the same as none.
    """
    if manager.subresource == "status":
        return {"status": obj["status"]} if "status" in obj else {}
    given = (obj.get("metadata") or {}).items()
    metadata = {key: value for key, value in given if key not in UNOWNED and value not in ({}, [], None)}
    rest = {
        key: value
        for key, value in obj.items()
        if key not in ("apiVersion", "kind", "status", "metadata") and (resource.is_custom or value not in ({}, []))
    }
    return rest | {"metadata": metadata}  # always there, so that nobody owns it as a whole


def _baseline(live: Object | None, new: Object, manager: Manager) -> Entries:
    """The entries that a write starts from: those that the client sends, unless it sends none or may not."""
    sent = new["metadata"].get("managedFields")
    sent = sent if isinstance(sent, list) else None
    if sent == [{}] and not manager.subresource:
        return {}
    if sent and not manager.subresource and all(map(_is_entry, sent)):
        return _entries(new)
    return _entries(live)


def _is_entry(sent: Any) -> bool:
    """Whether an entry of a client can be read; a real server ignores the others, too."""
    texts = ("manager", "operation", "subresource", "time")
    return (
        isinstance(sent, dict)
        and all(isinstance(sent.get(name, ""), str) for name in texts)
        and (isinstance(sent.get("fieldsV1"), msgspec.Raw) or _is_tree(sent.get("fieldsV1", {})))
    )


def _is_tree(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_tree, value.values()))


def _entries(obj: Object | None) -> Entries:
    managed = obj["metadata"].get("managedFields") or () if obj else ()
    return {
        Manager(each.get("manager", ""), each.get("operation", UPDATE), each.get("subresource", "")): Entry(
            from_json(_read(each.get("fieldsV1"))), each.get("time", "")
        )
        for each in managed
        if each
    }


def _read(fields: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(fields) if isinstance(fields, msgspec.Raw) else fields or {}
    return decoded


def _with_entries(resource: Resource, obj: Object, entries: Entries) -> Object:
    if not entries:
        return without_managers(obj)
    ordered = sorted(entries.items(), key=lambda item: (item[0].operation, item[1].time, item[0].name))
    managed = [_encoded(resource, manager, entry) for manager, entry in ordered]
    return obj | {"metadata": obj["metadata"] | {"managedFields": managed}}


def _encoded(resource: Resource, manager: Manager, entry: Entry) -> Object:
    encoded: Object = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": resource.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": msgspec.Raw(msgspec.json.encode(as_json(entry.fields))),
    }
    return encoded | ({"subresource": manager.subresource} if manager.subresource else {})
