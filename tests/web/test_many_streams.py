"""Many open streams in a program of its own, on the database of this tier; see tests/web/many_streams.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from django.db import connection

from console.bounded_threads import THREADS

ROOT = Path(__file__).resolve().parents[2]
MANY = 150


def test_many_streams_hold_neither_threads_nor_connections(mirror, redis_server, tmp_path: Path) -> None:
    own = {"DJANGO_SETTINGS_MODULE": "tests.settings", "CONSOLE_STATE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.web.many_streams", str(MANY)],
        cwd=ROOT, env={**os.environ, **own, "CONSOLE_REDIS_URL": redis_server.url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert (found["streams"], found["streams_after"]) == (MANY, 0)
    assert found["statuses"] == [200, 404]
    assert found["threads"] <= THREADS + 20  # those of the pool of connections, of the event loop, of this program
    assert max(found["backends"], found["backends_after"]) <= 12
    assert (found["backends"] > 0) == (connection.vendor == "postgresql")
