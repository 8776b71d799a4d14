"""Pointing Celery's producers of this process at another broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from console.celery import app


@contextmanager
def broker(url: str) -> Iterator[None]:
    """Send messages to `url` inside the block."""
    before = app.conf.broker_url
    app.conf.broker_url = url
    app._after_fork()  # forgets the pooled connections, as a new process does
    try:
        yield
    finally:
        app.conf.broker_url = before
        app._after_fork()
