"""The watcher: one leader among any number of processes keeps the mirror true; a standby takes over when it is gone."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import redis
import structlog

from console.cluster.connections import Connections
from console.cluster.errors import ClusterError
from console.cluster.resources import Resource
from console.cluster.watches import Broken, Listed, ListWatch, WatchEvent
from console.mirror import keys
from console.mirror.read import KindState
from console.mirror.store import MIRRORED, LeadershipLost, MirrorWriter

LOCK_SECONDS = 6.0
TICK_SECONDS = 1.0

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
class Follower:
    """One thread that keeps one kind of one cluster."""

    resource: Resource
    loop: ListWatch
    writer: MirrorWriter
    thread: threading.Thread = field(init=False)
    is_connected: bool = False
    error: str = ""

    def start(self, name: str) -> None:
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def heartbeat(self, now: float) -> None:
        """Say that what Redis has of this kind is true now, or since when it is not."""
        if self.is_connected:
            self.writer.note(self.resource, msgspec.json.encode(KindState(now, self.loop.resource_version)))

    def _run(self) -> None:
        try:
            for happening in self.loop.run():
                self._take(happening)
        except (LeadershipLost, redis.RedisError) as error:
            self.is_connected = False
            self.error = type(error).__name__
            log.info("mirror_thread_ended", kind=self.resource.plural, reason=self.error)

    def _take(self, happening: Listed | WatchEvent | Broken) -> None:
        if isinstance(happening, Broken):
            self.is_connected, self.error = False, str(happening.error)
            log.warning(
                "watch_broken", kind=self.resource.plural, error=self.error[:300], wait=round(happening.wait, 1)
            )
            return
        if isinstance(happening, Listed):
            self.writer.replace_all(self.resource, happening.objects)
            log.info("mirror_listed", kind=self.resource.plural, objects=len(happening.objects))
        elif happening.type == "DELETED":
            self.writer.drop(self.resource, happening.object)
        elif happening.type in ("ADDED", "MODIFIED"):
            self.writer.put(self.resource, happening.object)
        self.is_connected, self.error = True, ""


class Watcher:
    """Leads when it can; while it leads, every cluster has a thread for each mirrored kind."""

    def __init__(
        self,
        client: redis.Redis,
        clusters: Connections,
        seal_key: bytes,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._leadership = Leadership(client)
        self._client = client
        self._clusters = clusters
        self._seal_key = seal_key
        self._clock = clock
        self._followers: dict[tuple[str, str], Follower] = {}
        self._stop_threads = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Lead or stand by until `stop` is set; then give the lead away."""
        while not stop.is_set():
            try:
                self._tick()
            except (redis.RedisError, LeadershipLost) as error:
                log.warning("mirror_interrupted", reason=type(error).__name__)
                self._drop_followers()
            stop.wait(TICK_SECONDS)
        self._drop_followers()
        try:
            self._leadership.release()
        except redis.RedisError as error:
            log.warning("leadership_not_released", reason=type(error).__name__)

    def _tick(self) -> None:
        led = bool(self._leadership.token)
        leads = self._leadership.hold()
        if leads != led:
            log.info("leadership_taken" if leads else "leadership_lost")
        if not leads:
            self._drop_followers()
            return
        self._start_missing()
        for follower in self._followers.values():
            follower.heartbeat(self._clock())

    def _start_missing(self) -> None:
        """Start a thread for each kind of each known cluster that has none, or whose thread ended."""
        for cluster in self._clusters.names():
            for resource in MIRRORED:
                key = (cluster, resource.plural)
                if key in self._followers and self._followers[key].thread.is_alive():
                    continue
                try:
                    transport = self._clusters.get(cluster).transport
                except ClusterError as error:
                    log.warning("cluster_not_connected", cluster=cluster, error=str(error)[:300])
                    break
                writer = MirrorWriter(self._client, cluster, self._leadership.token, self._seal_key)
                follower = Follower(resource, ListWatch(transport, resource, self._stop_threads), writer)
                self._followers[key] = follower
                follower.start(f"mirror-{cluster}-{resource.plural}")

    def _drop_followers(self) -> None:
        """Tell all threads to end. One that waits for a silent API server ends later; its token is void by then."""
        self._stop_threads.set()
        self._stop_threads = threading.Event()
        self._followers = {}
