"""The folder in which the web processes of one port keep their counts (console.counters).

A module of its own: prometheus_client decides when it is imported whether it counts in files.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's name for it


@contextmanager
def shared_counts() -> Iterator[None]:
    """Let this process and those that it starts count in one new folder; it is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="sluice-counts-") as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]
