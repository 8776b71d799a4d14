"""`manage.py watch`: keep the mirror true until SIGTERM."""

import gc
import signal
import threading
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand

from console.clusters import connections
from console.heartbeat import touch
from console.mirror.sealing import seal_key
from console.mirror.watcher import Watcher
from console.redis_client import client


class Command(BaseCommand):
    help = "Mirror every cluster into Redis. Any number can run: one leads, the others are on standby."

    def handle(self, *_args: Any, **_options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # What was imported stays. A list makes tens of thousands of objects a second and hardly a cycle: looking for
        # cycles after each 700 of them, among all that there is, took up to a quarter of the time of sealing.
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        Watcher(client(), connections, seal_key(), on_tick=partial(touch, "watcher")).run(stop)
