"""Writing the mirror: each object becomes a few Redis commands, run only while the writer is still the leader."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import redis

from console.cluster.resources import NAMESPACES, PODS, REVISIONS, ROUTES, SERVICES, Resource
from console.knative.objects import KubeObject, Service
from console.knative.redaction import seal_env
from console.mirror import keys
from console.mirror.summaries import summarize
from console.redis_client import CHANNEL

MIRRORED: tuple[Resource, ...] = (SERVICES, REVISIONS, ROUTES, PODS, NAMESPACES)
BATCH = 200

Command = Sequence[str | bytes]

# A leader that lost its lock must not write any more, however late its thread wakes up.
_FENCED = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
local at = 2
while at <= #ARGV do
  local n = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + n))
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
        self._cluster = cluster
        self._token = token
        self._seal_key = seal_key
        self._fenced = client.register_script(_FENCED)

    def replace_all(self, resource: Resource, objects: Iterable[dict[str, Any]]) -> None:
        """Make the mirror hold exactly these objects of the kind; raises LeadershipLost."""
        names_key = keys.names(self._cluster, resource.plural)
        gone = {str(member) for member in self._client.smembers(names_key)}
        batch: list[Command] = []
        for raw in objects:
            gone.discard(_address(resource, raw))
            batch += self._put(resource, raw)
            if len(batch) >= BATCH:
                self._run(batch)
                batch = []
        for address in gone:
            batch += self._drop(resource, address)
        self._run([*batch, ("PUBLISH", CHANNEL, _announcement(self._cluster, resource, "", ""))])

    def put(self, resource: Resource, raw: dict[str, Any]) -> None:
        namespace, service, _ = _address(resource, raw).split("/")
        told = ("PUBLISH", CHANNEL, _announcement(self._cluster, resource, namespace, service))
        self._run([*self._put(resource, raw), told])

    def drop(self, resource: Resource, raw: dict[str, Any]) -> None:
        address = _address(resource, raw)
        namespace, service, _ = address.split("/")
        told = ("PUBLISH", CHANNEL, _announcement(self._cluster, resource, namespace, service))
        self._run([*self._drop(resource, address), told])

    def note(self, resource: Resource, state: bytes) -> None:
        """Write how fresh the kind is (JSON of read.KindState)."""
        self._run(
            [
                ("HSET", keys.freshness(self._cluster), resource.plural, state),
                ("SADD", keys.CLUSTERS, self._cluster),
            ]
        )

    def _put(self, resource: Resource, raw: dict[str, Any]) -> list[Command]:
        address = _address(resource, raw)
        namespace, service, name = address.split("/")
        remember = ("SADD", keys.names(self._cluster, resource.plural), address)
        if resource == NAMESPACES:
            return [remember, ("SADD", keys.namespaces(self._cluster), name)]
        sealed = msgspec.json.encode(seal_env(raw, self._seal_key))
        if resource != SERVICES:
            return [remember, ("HSET", keys.owned(self._cluster, resource.plural, namespace, service), name, sealed)]
        summary = msgspec.json.encode(summarize(self._cluster, Service(raw)))
        return [
            remember,
            ("HSET", keys.services(self._cluster), f"{namespace}/{name}", sealed),
            ("HSET", keys.summaries(self._cluster), f"{namespace}/{name}", summary),
            ("INCR", keys.version(self._cluster)),
        ]

    def _drop(self, resource: Resource, address: str) -> list[Command]:
        namespace, service, name = address.split("/")
        forget = ("SREM", keys.names(self._cluster, resource.plural), address)
        if resource == NAMESPACES:
            return [forget, ("SREM", keys.namespaces(self._cluster), name)]
        if resource != SERVICES:
            return [forget, ("HDEL", keys.owned(self._cluster, resource.plural, namespace, service), name)]
        field = f"{namespace}/{name}"
        return [
            forget,
            ("HDEL", keys.services(self._cluster), field),
            ("HDEL", keys.summaries(self._cluster), field),
            ("INCR", keys.version(self._cluster)),
        ]

    def _run(self, commands: Sequence[Command]) -> None:
        arguments: list[str | bytes] = [self._token]
        for command in commands:
            arguments += [str(len(command)), *command]
        if not self._fenced(keys=[keys.LEADER], args=arguments):
            raise LeadershipLost


def _address(resource: Resource, raw: dict[str, Any]) -> str:
    """`namespace/service/name`: the service by label for what belongs to one, by name for the service itself."""
    found = KubeObject(raw)
    if resource in (SERVICES, NAMESPACES):
        return f"{found.namespace}/{found.name}/{found.name}"
    return f"{found.namespace}/{found.labels.get('serving.knative.dev/service', '')}/{found.name}"


def _announcement(cluster: str, resource: Resource, namespace: str, name: str) -> bytes:
    facts = {"kind": resource.plural, "cluster": cluster, "namespace": namespace, "name": name}
    return msgspec.json.encode(facts)
