"""Writing the mirror: each object becomes a few Redis commands, run only while the writer is still the leader."""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import redis
import structlog

from console.cluster.resources import NAMESPACES, PODS, REVISIONS, ROUTES, SERVICES, Resource
from console.knative.objects import OPERATION, KubeObject, Revision, Service
from console.knative.owners import traffic_managers
from console.knative.redaction import seal_env, without_digests
from console.mirror import announcements, keys, requests_of, revisions, trail
from console.mirror.batches import Batch, Command
from console.mirror.replicas import record_of
from console.mirror.summaries import ServiceSummary, summarize
from console.signing import sign

MIRRORED: tuple[Resource, ...] = (SERVICES, REVISIONS, ROUTES, PODS, NAMESPACES)
MAX_UNLINKED = 200  # keys in one command
REDACTION = "3"  # counts up when objects are hidden or shown otherwise: what was written before is written again
KEPT_TRAIL = 2000  # events of services that the audit log has not read
KEPT_CHANGES = 5000  # names in each sorted set of changes

log = structlog.get_logger(__name__)

# A leader that lost its lock must not write any more, however late its thread wakes up.
_FENCED = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
local at = 2
while at <= #ARGV do
  local n = tonumber(ARGV[at])
  if ARGV[at + 1] == 'touched' then
    for field = at + 5, at + n do
      redis.call('zadd', ARGV[at + 3], redis.call('incr', ARGV[at + 2]), ARGV[field])
    end
    redis.call('zremrangebyrank', ARGV[at + 3], 0, -1 - tonumber(ARGV[at + 4]))
  elseif ARGV[at + 1] == 'announced' then
    redis.call('zadd', ARGV[at + 3], redis.call('incr', ARGV[at + 2]), ARGV[at + 4])
    redis.call('zremrangebyrank', ARGV[at + 3], 0, -1 - tonumber(ARGV[at + 6]))
    redis.call('publish', ARGV[at + 5], ARGV[at + 4])
  else
    redis.call(unpack(ARGV, at + 1, at + n))
  end
  at = at + n + 1
end
return 1
"""


class LeadershipLost(Exception):
    """Another watcher leads now; this one's writes are void."""


class MirrorWriter:
    """Writes one cluster's objects, sealed with `seal_key`, as the leader that holds `token`."""

    def __init__(self, client: redis.Redis, cluster: str, token: str, seal_key: bytes) -> None:
        self._client = client
        self.cluster = cluster
        self._token = token
        self._seal_key = seal_key
        self._fenced = client.register_script(_FENCED)
        self._trailed: dict[str, bytes] = {}  # by service: what was last written of it, to leave out mere statuses

    def replacing(self, resource: Resource) -> "Replacement":
        """Begin to make the mirror hold exactly the objects that a list will bring, page by page."""
        known = {str(member) for member in self._client.smembers(keys.names(self.cluster, resource.plural))}
        return Replacement(self, resource, known)

    def replace_all(self, resource: Resource, objects: Iterable[dict[str, Any]]) -> None:
        """Make the mirror hold exactly these objects of the kind; raises LeadershipLost."""
        replacement = self.replacing(resource)
        replacement.add(objects)
        replacement.finish()

    def put(self, resource: Resource, raw: dict[str, Any]) -> None:
        """Write one object, or log why it cannot be: one odd object must not stop the others."""
        self._write_one(resource, raw, lambda resource, raw: [*self._put(resource, raw), *self._trail(resource, raw)])

    def drop(self, resource: Resource, raw: dict[str, Any]) -> None:
        """Forget one object."""
        self._write_one(
            resource,
            raw,
            lambda resource, raw: [
                *self._drop(resource, _address(resource, raw)),
                *self._trail(resource, raw, is_gone=True),
            ],
        )

    def revoke(self) -> None:
        """Make every further write of this writer raise LeadershipLost, also one that another thread is at."""
        self._token = ""

    def forget_cluster(self) -> None:
        """Take away everything of a cluster that is no longer configured; raises LeadershipLost.

        It is listed as leaving until the end, so that the next leader finishes what this one does not.
        """
        cluster = self.cluster
        self._run(
            [
                ("SADD", keys.LEAVING, cluster),
                ("SREM", keys.CLUSTERS, cluster),
                ("UNLINK", keys.freshness(cluster), keys.epoch(cluster), keys.version(cluster), keys.changes(cluster)),
                ("UNLINK", keys.trail(cluster), keys.capabilities(cluster)),
                ("UNLINK", keys.services(cluster), keys.summaries(cluster), keys.namespaces(cluster)),
                ("UNLINK", keys.replicas(cluster), keys.images(cluster), keys.revision_records(cluster)),
                ("UNLINK", keys.revision_version(cluster), keys.revision_changes(cluster)),
            ]
        )
        for resource in MIRRORED:
            known = keys.names(cluster, resource.plural)
            addresses = {tuple(str(member).split("/")[:2]) for member in self._client.smembers(known)}
            owned = [keys.owned(cluster, resource.plural, *address) for address in sorted(addresses)]
            for start in range(0, len(owned), MAX_UNLINKED):
                self._run([("UNLINK", *owned[start : start + MAX_UNLINKED])])
            self._run([("UNLINK", known)])
        self._run(
            [
                ("SREM", keys.LEAVING, cluster),
                _announcement(cluster, SERVICES, "", ""),
            ]
        )

    def note(self, resource: Resource, state: bytes) -> None:
        """Write how fresh the kind is (JSON of read.KindState)."""
        self._run(
            [
                _signed(keys.freshness(self.cluster), resource.plural, state),
                ("SADD", keys.CLUSTERS, self.cluster),
            ]
        )

    def keep_capabilities(self, body: bytes) -> None:
        """Write what the cluster's Knative is and allows (JSON of capabilities.Record); raises LeadershipLost."""
        self._run([_signed(keys.capabilities(self.cluster), keys.SERVING, body)])

    def _put(self, resource: Resource, raw: dict[str, Any]) -> list[Command]:
        address = _address(resource, raw)
        namespace, service, name = address.split("/")
        remember = ("SADD", keys.names(self.cluster, resource.plural), address)
        if resource == NAMESPACES:
            return [remember, ("SADD", keys.namespaces(self.cluster), name)]
        hidden = _with_traffic_managers(seal_env(raw, self._seal_key), raw)
        sealed = msgspec.json.encode(hidden)
        if resource != SERVICES:
            owned = _signed(keys.owned(self.cluster, resource.plural, namespace, service), name, sealed)
            return [remember, owned, *self._beside_lists(resource, f"{namespace}/{name}", hidden)]
        summary = msgspec.json.encode(without_digests(msgspec.to_builtins(self._summary(hidden, raw))))
        return [
            remember,
            _signed(keys.services(self.cluster), f"{namespace}/{name}", sealed),
            _signed(keys.summaries(self.cluster), f"{namespace}/{name}", summary),
            self._touched(f"{namespace}/{name}"),
        ]

    def _beside_lists(self, resource: Resource, field: str, hidden: dict[str, Any]) -> list[Command]:
        """What lists show of a revision, each in a few bytes. `hidden`: the sealed object, empty when it is gone."""
        if resource != REVISIONS:
            return []
        revision = Revision(hidden)
        image = without_digests(revision.image)
        records = {
            keys.replicas(self.cluster): record_of(hidden),
            keys.images(self.cluster): image.encode(),
            keys.revision_records(self.cluster): revisions.record_of(revision, image) if hidden else None,
        }
        written = [_signed(key, field, record) if record else ("HDEL", key, field) for key, record in records.items()]
        cluster = self.cluster
        return [*written, _touched(keys.revision_version(cluster), keys.revision_changes(cluster), field)]

    def _summary(self, hidden: dict[str, Any], raw: dict[str, Any]) -> ServiceSummary:
        """The summary, of what may be read; only the managedFields of the object itself have the time of its change."""
        managed = {"managedFields": (raw.get("metadata") or {}).get("managedFields") or ()}
        return summarize(self.cluster, Service({**hidden, "metadata": {**hidden["metadata"], **managed}}))

    def _drop(self, resource: Resource, address: str) -> list[Command]:
        namespace, service, name = address.split("/")
        forget = ("SREM", keys.names(self.cluster, resource.plural), address)
        if resource == NAMESPACES:
            return [forget, ("SREM", keys.namespaces(self.cluster), name)]
        if resource != SERVICES:
            owned = ("HDEL", keys.owned(self.cluster, resource.plural, namespace, service), name)
            return [forget, owned, *self._beside_lists(resource, f"{namespace}/{name}", {})]
        field = f"{namespace}/{name}"
        return [
            forget,
            ("HDEL", keys.services(self.cluster), field),
            ("HDEL", keys.summaries(self.cluster), field),
            self._touched(field),
        ]

    def _trail(self, resource: Resource, raw: dict[str, Any], *, is_gone: bool = False) -> list[Command]:
        """What the watch says about a service besides its status, for code that must see each single change."""
        if resource != SERVICES:
            return []
        event = trail.event(seal_env(raw, self._seal_key), raw, is_gone=is_gone)
        address, facts = event.address, event.facts()
        if self._trailed.get(address) == facts:
            return []
        if is_gone:  # kept, a churn of names would fill the memory
            self._trailed.pop(address, None)
        else:
            self._trailed[address] = facts
        found = event.service
        operation = found.annotations.get(OPERATION, "")[:36]  # that wrote it last; anybody may write longer text there
        log.info(
            "service_changed",
            service=address,
            generation=found.generation,
            operation=operation,
            request_id=requests_of.of(self._client, operation),
            is_gone=is_gone,
        )
        key = keys.trail(self.cluster)
        return [("XADD", key, "MAXLEN", "~", str(KEPT_TRAIL), "*", "event", sign(event.encoded(), key))]

    def _touched(self, field: str) -> Command:
        return _touched(keys.version(self.cluster), keys.changes(self.cluster), field)

    def _write_one(
        self,
        resource: Resource,
        raw: dict[str, Any],
        commands: Callable[[Resource, dict[str, Any]], list[Command]],
    ) -> None:
        if made := self._isolated(resource, raw, commands):
            namespace, service, _ = _address(resource, raw).split("/")
            self._run([*made, _announcement(self.cluster, resource, namespace, service)])

    def _isolated(
        self,
        resource: Resource,
        raw: dict[str, Any],
        commands: Callable[[Resource, dict[str, Any]], list[Command]],
    ) -> list[Command]:
        try:
            return commands(resource, raw)
        except Exception as error:  # noqa: BLE001 - whatever an object of another's making provokes stays with it
            log.warning("object_not_mirrored", cluster=self.cluster, reason=type(error).__name__, **_named(raw))
            return []

    def _run(self, commands: Sequence[Command]) -> None:
        if not commands:
            return
        arguments: list[str | bytes] = [self._token]
        for command in commands:
            arguments += [str(len(command)), *command]
        if not self._fenced(keys=[keys.LEADER], args=arguments):
            raise LeadershipLost


class Replacement:
    """A list on its way into the mirror. What it did not name is forgotten at its end."""

    def __init__(self, writer: MirrorWriter, resource: Resource, known: set[str]) -> None:
        self._writer = writer
        self._resource = resource
        self._gone = known
        writer._run([("SET", keys.epoch(writer.cluster), uuid.uuid4().hex, "NX")])

    def add(self, objects: Iterable[dict[str, Any]]) -> None:
        """Write some of the list's objects; raises LeadershipLost."""
        batch = Batch()
        for raw in objects:
            if made := self._writer._isolated(self._resource, raw, self._writer._put):
                if self._gone:  # empty at a cold start, which has the most objects
                    self._gone.discard(_address(self._resource, raw))
                batch.add(made)
            if batch.is_full:
                self._writer._run(batch.take())
        self._writer._run(batch.take())

    def finish(self) -> None:
        """Forget what the list did not name and notify the browsers; raises LeadershipLost."""
        cluster = self._writer.cluster
        gone = sorted(self._gone)
        batch = Batch()
        for address in gone:
            batch.add(self._writer._drop(self._resource, address))
            if batch.is_full:
                self._writer._run(batch.take())
        self._writer._run(batch.take())
        self._writer._run([_announcement(cluster, self._resource, "", "")])


def layout(seal_key: bytes, api_server: str) -> str:
    """Return a digest of how objects are written: a copy made by another version, key or API server is not resumed."""
    facts = ",".join(
        (
            REDACTION,
            *ServiceSummary.__struct_fields__,
            api_server,
            "signed",
            "replicas",
            "images",
            *revisions.Record.__struct_fields__,
        )
    )
    return hashlib.sha256(seal_key + facts.encode()).hexdigest()[:16]


def _with_traffic_managers(hidden: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """The sealed object with what managedFields say of known controllers of spec.traffic, and nothing else of them."""
    found = traffic_managers(raw.get("metadata") or {})
    return {**hidden, "metadata": {**hidden["metadata"], "managedFields": found}} if found else hidden


def _touched(version: str, changes: str, field: str) -> Command:
    return ("touched", version, changes, str(KEPT_CHANGES), field)


def _signed(key: str, field: str, body: bytes) -> Command:
    return ("HSET", key, field, sign(body, key, field))


def _named(raw: dict[str, Any]) -> dict[str, str]:
    metadata = raw.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    return {field: str(known.get(field, ""))[:253] for field in ("namespace", "name")}


def _address(resource: Resource, raw: dict[str, Any]) -> str:
    """`namespace/service/name`: the service by label for what belongs to one, by name for the service itself."""
    found = KubeObject(raw)
    if resource in (SERVICES, NAMESPACES):
        return f"{found.namespace}/{found.name}/{found.name}"
    return f"{found.namespace}/{found.labels.get('serving.knative.dev/service', '')}/{found.name}"


def _announcement(cluster: str, resource: Resource, namespace: str, name: str) -> Command:
    return announcements.command({"kind": resource.plural, "cluster": cluster, "namespace": namespace, "name": name})
