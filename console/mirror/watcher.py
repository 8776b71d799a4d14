"""The watcher: one leader among any number of processes keeps the mirror true; a standby takes over when it is gone."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import redis
import structlog

from console.cluster.connections import Connection, Connections
from console.cluster.errors import ClusterError
from console.cluster.resources import Resource
from console.cluster.transport import Transport
from console.cluster.watches import Broken, Connected, Event, Listed, ListWatch, Page, WatchEvent
from console.mirror import keys, read
from console.mirror.capabilities import CapabilityReader
from console.mirror.last_contact import LastContact
from console.mirror.read import KindState
from console.mirror.store import MIRRORED, LeadershipLost, MirrorWriter, Replacement, layout

LOCK_SECONDS = 6.0
TICK_SECONDS = 1.0
ENDING_SECONDS = 2.0  # for all threads together when the process stops
AFTER_A_BUG = 30.0  # seconds before a thread that ended with an unexpected exception is started again

log = structlog.get_logger(__name__)

# Extend or release the lock only while it is ours.
_EXTEND = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end"
)
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


class Leadership:
    """A lock in Redis whose value is a fencing token: each new leader has a larger one."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self.token = ""

    def hold(self) -> bool:
        """Take or keep the lock; returns whether it is ours now."""
        lease = int(LOCK_SECONDS * 1000)
        if self.token and self._client.eval(_EXTEND, 1, keys.LEADER, self.token, lease):
            return True
        token = f"{self._client.incr(keys.FENCING)}-{uuid.uuid4().hex[:8]}"
        self.token = token if self._client.set(keys.LEADER, token, nx=True, px=lease) else ""
        return bool(self.token)

    def release(self) -> None:
        if self.token:
            self._client.eval(_RELEASE, 1, keys.LEADER, self.token)
            self.token = ""


@dataclass
class Reflector:
    """One thread that keeps one kind of one cluster."""

    resource: Resource
    loop: ListWatch
    writer: MirrorWriter
    layout: str
    clock: Callable[[], float]
    last_contact: LastContact
    at: float = 0.0  # when the copy was last known to be true
    resource_version: str = ""  # all that happened until here is written
    error: str = ""
    retry_at: float = 0.0
    _thread: threading.Thread = field(init=False)
    _is_connected: bool = field(default=False, init=False)
    _replacement: Replacement | None = field(default=None, init=False)
    _is_listed: bool = field(default=False, init=False)  # since the last watch began

    def start(self, name: str) -> None:
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def needs_restart(self) -> bool:
        """The thread ended without being stopped, and it is time to try again."""
        return not self._thread.is_alive() and self.clock() >= self.retry_at

    def heartbeat(self) -> None:
        """Say until when what Redis has of this kind was true; raises LeadershipLost.

        While a watch is open that is when the cluster was last heard of: an API server that hangs keeps its
        connections open.
        """
        if self._is_connected:
            self.at = max(self.at, self.last_contact.at)
        state = KindState(self.at, self.resource_version, self.error or self.last_contact.error, self.layout)
        self.writer.note(self.resource, msgspec.json.encode(state))

    def end(self) -> None:
        """Tell the thread to end. What it is about to write, perhaps of a stale address, is not written."""
        self.writer.revoke()
        self.loop.end()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        structlog.contextvars.bind_contextvars(cluster=self.writer.cluster, kind=self.resource.plural)
        try:
            for event in self.loop.run():
                self._handle(event)
        except (LeadershipLost, redis.RedisError) as error:
            log.info("mirror_thread_ended", reason=type(error).__name__)
        except Exception as error:
            # The other kinds and clusters continue; this one reports the error and tries again later.
            log.exception("mirror_thread_failed")
            self.retry_at = self.clock() + AFTER_A_BUG
            self.resource_version, self.error = "", type(error).__name__
        finally:
            self._is_connected = False

    def _handle(self, event: Event) -> None:
        if not isinstance(event, Broken):
            self.last_contact.heard()
        match event:
            case Page():
                if event.is_first or self._replacement is None:
                    self._replacement = self.writer.replacing(self.resource)
                self._replacement.add(event.objects)
            case Listed():
                if self._replacement is not None:
                    self._replacement.finish()
                self._replacement = None
                # Only now: a watcher that takes over resumes from here and must find all of it written.
                self.resource_version = event.resource_version
                self._is_listed = True
                log.info("mirror_listed")
            case WatchEvent():
                if event.type == "DELETED":
                    self.writer.drop(self.resource, event.object)
                elif event.type in ("ADDED", "MODIFIED"):
                    self.writer.put(self.resource, event.object)
                self.resource_version = event.resource_version or self.resource_version
            case Connected():
                self.error, self.at, self._is_connected = "", self.clock(), True
                # Not at the next tick: until then pages call a whole list unread. A watch that was only resumed may
                # still answer that what it should resume from is gone, which says nothing of the copy.
                if self._is_listed:
                    self.heartbeat()
                self._is_listed = False
            case Broken():
                self._break(event)

    def _break(self, broken: Broken) -> None:
        self._is_connected, self.error = False, str(broken.error)[:300]
        if not self.loop.resource_version:
            self.resource_version = ""  # the loop lists again
        log.warning("watch_broken", error=self.error, wait=round(broken.wait, 1))


class Watcher:
    """Leads when it can; while it leads, each cluster has a thread for every mirrored kind, and for its settings."""

    def __init__(
        self,
        client: redis.Redis,
        clusters: Connections,
        seal_key: bytes,
        *,
        clock: Callable[[], float] = time.time,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_tick = on_tick
        self._leadership = Leadership(client)
        self._client = client
        self._clusters = clusters
        self._seal_key = seal_key
        self._clock = clock
        self._reflectors: dict[tuple[str, str], Reflector] = {}
        self._contacts: dict[str, LastContact] = {}
        self._readers: dict[str, CapabilityReader] = {}
        self._unconnected: dict[str, str] = {}

    def run(self, stop: threading.Event) -> None:
        """Lead, or wait to lead, until `stop` is set; then give up the lead. Every tick calls `on_tick`."""
        while not stop.is_set():
            self._on_tick()
            try:
                self._tick()
            except (redis.RedisError, read.MirrorUnavailable, LeadershipLost) as error:
                log.warning("mirror_interrupted", reason=type(error).__name__)
                self._drop_reflectors()
            stop.wait(TICK_SECONDS)
        ending = self._drop_reflectors()
        until = time.monotonic() + ENDING_SECONDS
        for thread in ending:
            thread.join(max(0.0, until - time.monotonic()))
        try:
            self._leadership.release()
        except redis.RedisError as error:
            log.warning("leadership_not_released", reason=type(error).__name__)

    def _tick(self) -> None:
        before = self._leadership.token
        leads = self._leadership.hold()
        if self._leadership.token != before:
            log.info("leadership_taken" if leads else "leadership_lost")
            self._drop_reflectors()  # they write with the old token
        if not leads:
            return
        known = self._clusters.known()
        if known.is_complete:
            self._forget_all_but(known.names)
        else:
            log.warning("clusters_not_all_known")  # the database is unavailable: nothing is forgotten
        for cluster in known.names:
            self._reflect(cluster)
        for reflector in self._reflectors.values():
            reflector.heartbeat()

    def _forget_all_but(self, names: tuple[str, ...]) -> None:
        """End the threads of clusters that are no longer configured, and take those clusters out of the mirror."""
        for key in [key for key in self._reflectors if key[0] not in names]:
            self._reflectors.pop(key).end()
        for name in [name for name in self._contacts if name not in names]:
            self._contacts.pop(name).end()
        for cluster in [cluster for cluster in self._readers if cluster not in names]:
            self._readers.pop(cluster).end()
        leaving = {str(member) for member in self._client.smembers(keys.LEAVING)}
        for cluster in (leaving | read.mirrored()) - set(names):
            MirrorWriter(self._client, cluster, self._leadership.token, self._seal_key).forget_cluster()
            log.info("cluster_forgotten", cluster=cluster)

    def _reflect(self, cluster: str) -> None:
        """Start a thread for each kind that has none, whose thread ended, or that asks a stale address."""
        try:
            connection = self._clusters.get(cluster)
        except ClusterError as error:
            if self._unconnected.get(cluster) != str(error):
                log.warning("cluster_not_connected", cluster=cluster, error=str(error)[:300])
            self._unconnected[cluster] = str(error)
            return
        self._unconnected.pop(cluster, None)
        self._read_capabilities(cluster, connection)
        transport = connection.transport
        states: dict[str, KindState] | None = None
        for resource in MIRRORED:
            key = (cluster, resource.plural)
            known = self._reflectors.get(key)
            if known and known.loop.transport is transport and not known.needs_restart:
                continue
            if known:
                known.end()
            states = read.states(cluster) if states is None else states
            self._reflectors[key] = self._start(cluster, resource, transport, states.get(resource.plural))

    def _read_capabilities(self, cluster: str, connection: Connection) -> None:
        """Start a thread for the cluster's settings where there is none, or it ended, or asks a stale address."""
        present = self._readers.get(cluster)
        if present and present.connection.transport is connection.transport and not present.needs_restart:
            return
        if present:
            present.end()
        writer = MirrorWriter(self._client, cluster, self._leadership.token, self._seal_key)
        self._readers[cluster] = CapabilityReader(connection, writer, self._clock)
        self._readers[cluster].start()

    def _start(self, cluster: str, resource: Resource, transport: Transport, last: KindState | None) -> Reflector:
        """Start a thread, from where the last leader stopped when its copy is of the same make."""
        written_as = layout(self._seal_key, transport.base)
        if last is None or last.layout != written_as:
            last = KindState(0.0)
        reflector = Reflector(
            resource,
            ListWatch(transport, resource, last.resource_version),
            MirrorWriter(self._client, cluster, self._leadership.token, self._seal_key),
            written_as,
            self._clock,
            self._last_contact(cluster, transport),
            last.at,
            last.resource_version,
            last.error,
        )
        reflector.start(f"mirror-{cluster}-{resource.plural}")
        return reflector

    def _last_contact(self, cluster: str, transport: Transport) -> LastContact:
        """The one for this address of the cluster; another address's says nothing of it."""
        known = self._contacts.get(cluster)
        if known and known.transport is transport:
            return known
        if known:
            known.end()
        self._contacts[cluster] = found = LastContact(cluster, transport, self._clock)
        found.start()
        return found

    def _drop_reflectors(self) -> list[Reflector | CapabilityReader]:
        """Stop all threads, and return those that write. A write in flight is discarded, as its token is invalid."""
        ending: list[Reflector | CapabilityReader] = [*self._reflectors.values(), *self._readers.values()]
        for thread in [*ending, *self._contacts.values()]:
            thread.end()
        self._reflectors, self._readers, self._contacts = {}, {}, {}
        return ending
