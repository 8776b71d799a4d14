"""The objects of the sandbox's cluster, with resource versions, a bounded history and subscriptions.

What etcd and the registry of an API server do, in memory and in one thread: no method here awaits, so each call is
atomic. Objects are plain dicts and are never mutated once they are in the store: a change puts a new dict in place of
the old one, so that readers, snapshots and the history may share them without copies. Callers keep to the same rule.

Nothing here admits, validates or authorizes; controllers write straight to the store, people through the API.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from console.sandbox import errors
from console.sandbox.fields.managers import compact, controller_of, managed_as
from console.sandbox.fields.managers import updated as updated_fields
from console.sandbox.history import History, Key
from console.sandbox.logs import PodLogs
from console.sandbox.resources import NAMESPACES, PODS, TABLE, Resource, by_kind
from console.sandbox.subscriptions import Change, Subscription
from console.sandbox.terminating import terminating_status
from console.sandbox.updates import SERVER_FIELDS, may_go, merge_update, owner_uids

HISTORY_LENGTH = 20_000
FOREGROUND = "foregroundDeletion"
SUFFIX_LENGTH = 5
POD_GRACE_SECONDS = 30

Object = dict[str, Any]
Objects = list[Object]  # named, as `list` is a method's name inside the class
Owned = list[tuple[Resource, Object]]
Changes = list[Change]
Keys = list[Key]


class Store:
    """All objects by resource and key, each change numbered by one counter (`resourceVersion`)."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_uid: Callable[[], str] = lambda: str(uuid.uuid4()),
        first_version: int = 1,
        history_length: int = HISTORY_LENGTH,
    ) -> None:
        self.version = first_version
        self.logs = PodLogs(now)
        self._now = now
        self._new_uid = new_uid
        self._objects: dict[Resource, dict[Key, Object]] = {resource: {} for resource in TABLE}
        self._sorted: dict[Resource, list[Key]] = {}
        self._owned: defaultdict[str, set[tuple[Resource, Key]]] = defaultdict(set)  # by the owner's uid
        self._history = {resource: History(history_length, first_version) for resource in TABLE}
        self._subscriptions: set[Subscription] = set()

    # Reading

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """The object; raises StatusError 404."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise errors.not_found(resource, name)
        return found

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object or None."""
        return self._objects[resource].get((namespace if resource.namespaced else "", name))

    def list(self, resource: Resource, namespace: str | None = None) -> Objects:
        """The objects of one namespace, or of all, ordered by namespace and name."""
        return list(self.range(resource, namespace)[0])

    def range(
        self, resource: Resource, namespace: str | None = None, *, at: int | None = None, after: Key = ("", "")
    ) -> tuple[Iterator[Object], int]:
        """The objects of `list` behind a key, as they were at a version, and how many they are: of use until a change.

        Raises StatusError 410 when the history does not reach back. What is not taken costs nothing, as in etcd.
        """
        now = self._objects[resource]
        objects = now if at is None else self._history[resource].undone(now, at)
        keys = self._keys(resource) if objects is now else sorted(objects)
        begin = bisect_right(keys, max(after, (namespace or "", "")))
        end = len(keys) if namespace is None else bisect_left(keys, (f"{namespace}\0", ""))
        return (objects[keys[place]] for place in range(begin, end)), max(0, end - begin)

    def is_terminating(self, namespace: str) -> bool:
        """Whether a namespace is on its way out: nothing new may come into it."""
        owner = self._objects[NAMESPACES].get(("", namespace))
        return owner is not None and "deletionTimestamp" in owner["metadata"]

    def changes_since(self, resource: Resource, version: int) -> Changes:
        """What happened after `version`, oldest first; raises StatusError 410 when that is forgotten."""
        return self._history[resource].since(version)

    def count(self, resource: Resource) -> int:
        """How many objects of that resource there are."""
        return len(self._objects[resource])

    def dependents(self, uid: str) -> Owned:
        """The objects whose ownerReferences name `uid`."""
        return [(resource, self._objects[resource][key]) for resource, key in self._owned.get(uid, ())]

    # Writing

    def create(
        self, resource: Resource, obj: Object, *, dry_run: bool = False, created: str = "", is_managed: bool = False
    ) -> Object:
        """Add an object and return it with uid, resourceVersion, creationTimestamp and generation 1.

        `created` is the timestamp of something that is to look older than it is. `is_managed` says that the caller has
        written managedFields; else the fields are those of the kind's controller.

        A `metadata.generateName` without a name gets a random suffix. A status is kept (the API drops it for people).
        Raises StatusError 409 when the name is taken.
        """
        metadata = dict(obj["metadata"])
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:SUFFIX_LENGTH]
        if not resource.namespaced:
            metadata.pop("namespace", None)
        key = (metadata.get("namespace", ""), metadata["name"])
        if key in self._objects[resource]:
            raise errors.already_exists(resource, metadata["name"])
        for field in SERVER_FIELDS:
            metadata.pop(field, None)
        metadata["uid"] = self._new_uid()
        metadata["creationTimestamp"] = created or self.timestamp()
        if resource.has_generation:
            metadata["generation"] = 1
        complete = {"apiVersion": resource.api_version, "kind": resource.kind, **obj, "metadata": metadata}
        if not is_managed:
            complete = updated_fields(resource, None, complete, controller_of(resource), self.timestamp())
        return complete if dry_run else self._put("ADDED", resource, key, complete)

    def update(
        self,
        resource: Resource,
        obj: Object,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
        is_managed: bool = False,
    ) -> Object:
        """Replace an object and return it as stored; `is_managed` as for create.

        Without `subresource` the status stays as it is, and the generation grows by one if anything but metadata and
        status changed; with subresource="status" only the status is taken. An update that changes nothing changes no
        resourceVersion. Raises StatusError 404, or 409 when uid or resourceVersion are set and no longer right.
        """
        name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
        current = self.get(resource, namespace, name)
        self._check_preconditions(resource, current, obj["metadata"].get("uid"), obj["metadata"].get("resourceVersion"))
        updated = merge_update(resource, current, obj, subresource)
        if not is_managed:
            manager = controller_of(resource, subresource or "")
            updated = updated_fields(resource, current, managed_as(updated, current), manager, self.timestamp())
        if updated == current or dry_run:
            return updated
        key = (namespace if resource.namespaced else "", name)
        stored = self._put("MODIFIED", resource, key, updated)
        if may_go(stored):
            self._remove(resource, key)
        return stored

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
        grace_seconds: int = 0,
        dry_run: bool = False,
    ) -> Object:
        """Delete an object and, by ownerReferences, what it owns; return its last state.

        An object with finalizers, or with a grace period (pods: the simulated kubelet deletes it again with
        grace_seconds=0), is only marked with a deletionTimestamp. `propagation` is Background, Foreground (owner goes
        last) or Orphan (what it owns stays, without the reference).
        """
        current = self.get(resource, namespace, name)
        self._check_preconditions(resource, current, uid, resource_version, deleting=True)
        if dry_run:
            return current
        key = (namespace if resource.namespaced else "", name)
        metadata = current["metadata"]
        owned = self._owned.get(metadata["uid"])
        if propagation == "Orphan":
            self._orphan(metadata["uid"])
        finalizers = list(metadata.get("finalizers", ()))
        if propagation == "Foreground" and owned and FOREGROUND not in finalizers:
            finalizers.append(FOREGROUND)
        holds_contents = resource is NAMESPACES and self._is_inhabited(name)
        if not (finalizers or grace_seconds or holds_contents):
            return self._remove(resource, key)
        if "deletionTimestamp" not in metadata or metadata.get("deletionGracePeriodSeconds") != grace_seconds:
            current = self._put(
                "MODIFIED", resource, key, self._marked_deleted(resource, current, finalizers, grace_seconds)
            )
        if holds_contents:
            self._empty_namespace(name)
        if FOREGROUND in finalizers:
            self._delete_dependents(metadata["uid"])
        return current

    # Following

    def subscribe(self, *resources: Resource, replay: bool = True) -> Subscription:
        """An async iterator of (type, Resource, object) from now on; with `replay`, first ADDED for all that exists."""
        subscription = Subscription(resources, on_close=self._subscriptions.discard)
        self._subscriptions.add(subscription)
        if replay:
            for resource in resources:
                for key, obj in self._objects[resource].items():
                    subscription.offer(Change("ADDED", resource, key, obj, None, self.version))
        return subscription

    def forget_history(self) -> None:
        """Compact: a client that resumes from an older resourceVersion gets 410."""
        for resource in TABLE:
            self._history[resource].forget(self.version)

    # Keeping

    def dump(self) -> Object:
        """Everything that a state file needs, JSON-ready."""
        objects = [obj for resource in TABLE for obj in self._objects[resource].values()]
        return {"version": self.version, "objects": objects, "logs": self.logs.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `dump` gave; the history starts over. Raises ValueError for a kind that is not served."""
        for obj in state["objects"]:
            resource = by_kind(obj["apiVersion"], obj["kind"])
            if resource is None:
                raise ValueError(f"The state has a kind that the sandbox does not know: {obj['kind']}")
            key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            self._objects[resource][key] = compact(obj)
            self._sorted.pop(resource, None)
            self._index_owners(resource, key, None, obj)
        self.logs.load(state.get("logs", {}))
        self.version = max(self.version, int(state["version"]))
        self.forget_history()

    def timestamp(self) -> str:
        """Now, as Kubernetes writes it: RFC 3339 in UTC with whole seconds."""
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    # Inside

    def _keys(self, resource: Resource) -> Keys:
        """The keys in their order, sorted again after one was added or removed."""
        known = self._sorted.get(resource)
        if known is None:
            known = self._sorted[resource] = sorted(self._objects[resource])
        return known

    def _check_preconditions(
        self,
        resource: Resource,
        current: Object,
        uid: str | None,
        version: str | None,
        *,
        deleting: bool = False,
    ) -> None:
        metadata = current["metadata"]
        if uid and uid != metadata["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
            raise errors.conflict(resource, metadata["name"], why)
        if version and version != metadata["resourceVersion"]:
            stale = (
                "Precondition failed: ResourceVersion in precondition: "
                f"{version}, ResourceVersion in object meta: {metadata['resourceVersion']}"
            )
            raise errors.conflict(resource, metadata["name"], stale if deleting else "")

    def _put(self, event: str, resource: Resource, key: Key, obj: Object) -> Object:
        self.version += 1
        metadata = obj["metadata"] | {"resourceVersion": str(self.version)}
        stored = obj | {"metadata": metadata}
        previous = self._objects[resource].get(key)
        if previous is None:
            self._sorted.pop(resource, None)
        self._objects[resource][key] = stored
        self._index_owners(resource, key, previous, stored)
        self._announce(Change(event, resource, key, stored, previous, self.version))
        return stored

    def _remove(self, resource: Resource, key: Key) -> Object:
        self.version += 1
        previous = self._objects[resource].pop(key)
        self._sorted.pop(resource, None)
        self._index_owners(resource, key, previous, None)
        last = previous | {"metadata": previous["metadata"] | {"resourceVersion": str(self.version)}}
        self._announce(Change("DELETED", resource, key, last, previous, self.version))
        self._delete_dependents(previous["metadata"]["uid"])
        self._release_owners(previous)
        if resource.namespaced:
            self._release_namespace(key[0])
        return last

    def _announce(self, change: Change) -> None:
        self._history[change.resource].append(change)
        for subscription in tuple(self._subscriptions):
            if change.resource in subscription.resources:
                subscription.offer(change)

    def _index_owners(self, resource: Resource, key: Key, previous: Object | None, stored: Object | None) -> None:
        for uid in owner_uids(previous):
            self._owned[uid].discard((resource, key))
            if not self._owned[uid]:
                del self._owned[uid]
        for uid in owner_uids(stored):
            self._owned[uid].add((resource, key))

    def _delete_dependents(self, uid: str) -> None:
        for resource, (namespace, name) in tuple(self._owned.get(uid, ())):
            dependent = self.find(resource, namespace, name)
            if dependent is not None and "deletionTimestamp" not in dependent["metadata"]:
                is_on_a_node = resource is PODS and bool(dependent["spec"].get("nodeName"))
                grace = POD_GRACE_SECONDS if is_on_a_node else 0  # its kubelet ends it
                self.delete(resource, namespace, name, grace_seconds=grace)

    def _orphan(self, uid: str) -> None:
        for resource, key in tuple(self._owned.get(uid, ())):
            dependent = self._objects[resource][key]
            kept = [reference for reference in dependent["metadata"]["ownerReferences"] if reference["uid"] != uid]
            metadata = dependent["metadata"] | {"ownerReferences": kept}
            if not kept:
                del metadata["ownerReferences"]
            self._put("MODIFIED", resource, key, dependent | {"metadata": metadata})

    def _release_owners(self, removed: Object) -> None:
        """An owner that is deleted in the foreground goes when the last thing it owned is gone."""
        for reference in removed["metadata"].get("ownerReferences", ()):
            resource = by_kind(reference.get("apiVersion", ""), reference.get("kind", ""))
            if resource is None or reference["uid"] in self._owned:
                continue
            owner = self.find(resource, removed["metadata"].get("namespace", ""), reference["name"])
            if owner is not None and FOREGROUND in owner["metadata"].get("finalizers", ()):
                left = [each for each in owner["metadata"]["finalizers"] if each != FOREGROUND]
                self.update(resource, owner | {"metadata": owner["metadata"] | {"finalizers": left}})

    def _marked_deleted(
        self, resource: Resource, current: Object, finalizers: Sequence[str], grace_seconds: int
    ) -> Object:
        metadata = current["metadata"] | {
            "deletionTimestamp": current["metadata"].get("deletionTimestamp", self.timestamp()),
            "deletionGracePeriodSeconds": grace_seconds,
        }
        if finalizers:
            metadata["finalizers"] = list(finalizers)
        if resource.has_generation:
            metadata["generation"] = metadata["generation"] + 1
        marked = current | {"metadata": metadata}
        if resource is NAMESPACES:
            marked["status"] = {**current.get("status", {}), "phase": "Terminating"}
        return marked

    def _is_inhabited(self, namespace: str) -> bool:
        return any(True for _ in self._inhabitants(namespace))

    def _inhabitants(self, namespace: str) -> Iterator[tuple[Resource, str]]:
        for resource in TABLE:
            if resource.namespaced:
                for key in self._objects[resource]:
                    if key[0] == namespace:
                        yield resource, key[1]

    def _empty_namespace(self, namespace: str) -> None:
        for resource, name in tuple(self._inhabitants(namespace)):
            if self.find(resource, namespace, name) is not None:  # may have gone with its owner
                self.delete(resource, namespace, name)
        self._tell_what_is_left(namespace)

    def _tell_what_is_left(self, namespace: str) -> None:
        owner = self.find(NAMESPACES, "", namespace)
        if owner is None:
            return
        left = [(each.qualified, self.get(each, namespace, name)) for each, name in self._inhabitants(namespace)]
        status = terminating_status(owner.get("status", {}), left, self.timestamp())
        self._put("MODIFIED", NAMESPACES, ("", namespace), owner | {"status": status})

    def _release_namespace(self, namespace: str) -> None:
        """A namespace that is being deleted goes when its last object is gone."""
        if self.is_terminating(namespace) and not self._is_inhabited(namespace):
            self._remove(NAMESPACES, ("", namespace))
