"""Random bad days: each method breaks something for a while; what is broken is whole again when it returns."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connection
from kombu.exceptions import OperationalError

from console.operations.models import Operation
from console.operations.tasks import perform
from tests.faults.stage import Stage, kill

RESOURCES = ("services", "revisions")


@dataclass
class Chaos:
    """Breaks things on a stage and counts what it did."""

    stage: Stage
    random: random.Random
    workers: int = 2
    done: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Start the workers and beat that will have a hard time."""
        self._workers = [self.stage.worker(threads=8) for _ in range(self.workers)]
        self._beat = self.stage.beat()

    def strike(self) -> None:
        """Do one bad thing."""
        weights, deeds = zip(*self.deeds(), strict=True)
        deed = self.random.choices(deeds, weights)[0]
        deed()
        self.done[deed.__name__] += 1

    def deeds(self) -> tuple[tuple[int, Callable[[], None]], ...]:
        """Return what may be done, each with its weight."""
        return (
            (5, self.kill_a_worker),
            (1, self.stop_a_worker),
            (1, self.kill_beat),
            (2, self.restart_redis),
            (2, self.empty_redis),
            (2, self.freeze_redis),
            (6, self.refuse_requests),
            (4, self.cut_a_connection),
            (3, self.slow_down),
            (3, self.cut_watches),
            (2, self.forget_history),
            (2, self.freeze_the_api_server),
            (4, self.deliver_again),
            (1, self.trouble_the_database),
        )

    def kill_a_worker(self) -> None:
        index = self.random.randrange(len(self._workers))
        kill(self._workers[index])
        self._workers[index] = self.stage.worker(threads=8)

    def stop_a_worker(self) -> None:
        index = self.random.randrange(len(self._workers))
        self.stage.stop(self._workers[index])
        self._workers[index] = self.stage.worker(threads=8)

    def kill_beat(self) -> None:
        kill(self._beat)
        self._beat = self.stage.beat()

    def restart_redis(self) -> None:
        self.stage.redis.kill()
        _pause(self.random.uniform(0, 0.5))
        self.stage.redis.start()

    def empty_redis(self) -> None:
        self.stage.redis.empty()

    def freeze_redis(self) -> None:
        self.stage.redis.freeze()
        _pause(self.random.uniform(0.5, 3))
        self.stage.redis.thaw()

    def refuse_requests(self) -> None:
        verb, codes = self.random.choice(
            [("get", (500, 503, 429)), ("update", (409, 429, 500, 503)), ("watch", (410, 429, 500))]
        )
        code = self.random.choice(codes)
        after = {"retry_after": 1} if code == 429 else {}
        self._fault(verb=verb, code=code, times=self.random.randint(1, 3), **after)

    def cut_a_connection(self) -> None:
        self._fault(verb=self.random.choice(["get", "update", "watch"]), cut=self.random.choice(["before", "after"]))

    def slow_down(self) -> None:
        self._fault(verb=self.random.choice(["get", "update"]), delay_ms=self.random.randint(200, 2000), times=3)

    def cut_watches(self) -> None:
        self.stage.box.post("/sandbox/faults", {"cut_watches": True})

    def forget_history(self) -> None:
        self.stage.box.post("/sandbox/faults", {"forget_history": True})

    def freeze_the_api_server(self) -> None:
        self.stage.box.process.send_signal(signal.SIGSTOP)
        _pause(self.random.uniform(0.5, 2))
        self.stage.box.process.send_signal(signal.SIGCONT)

    def deliver_again(self) -> None:
        """Messages of turns that are over, going on, and to come; and one without a turn."""
        some = list(Operation.objects.order_by("?")[:5])
        for operation in some:
            for turn in (0, operation.attempt, operation.attempt + 1, None):
                try:
                    perform.apply_async([str(operation.id), turn])
                except OperationalError:
                    return  # Redis is not back yet: nothing to deliver

    def trouble_the_database(self) -> None:
        if self.stage.postgres:
            self.stage.postgres.stop()
            connection.close()
            self.stage.postgres.start()
        else:
            other = sqlite3.connect(self.stage.folder / "console.sqlite3", isolation_level=None, timeout=20)
            other.execute("BEGIN IMMEDIATE")
            _pause(2)
            other.execute("ROLLBACK")
            other.close()

    def _fault(self, **fault: object) -> None:
        for resource in RESOURCES:
            self.stage.box.fault(resource=resource, **fault)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
