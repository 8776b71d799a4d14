"""The console's clock in the hands of a test: the application's, the defaults of its tables and the database's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Field, Value
from django.db.models.functions import Now
from django.utils import timezone

_real = timezone.now


@dataclass
class Clock:
    """Stands at `now` until it is moved, and never goes back: the log refuses entries from before its newest."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def go(self, moment: datetime) -> None:
        if moment < self.now:
            raise ValueError(f"from {self.now} back to {moment}")
        self.now = moment

    def tick(self, seconds: float = 1) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@contextmanager
def standing(clock: Clock) -> Iterator[None]:
    """Let everything in this process that asks for the time be told what `clock` says."""
    fields = [field for model in apps.get_models() for field in model._meta.fields if field.default is _real]
    spelled = {name: Now.__dict__[name] for name in ("as_sql", "as_sqlite", "as_postgresql") if name in Now.__dict__}
    timezone.now = clock
    _default(fields, clock)
    for name in spelled:
        setattr(Now, name, lambda self, compiler, connection, **_more: compiler.compile(_moment(clock, self)))
    try:
        yield
    finally:
        timezone.now = _real
        _default(fields, _real)
        for name, before in spelled.items():
            setattr(Now, name, before)


def _moment(clock: Clock, asked: Now) -> Value:
    return Value(clock.now, output_field=asked.output_field).resolve_expression()


def _default(fields: list[Field[Any, Any]], now: Any) -> None:
    for field in fields:
        field.default = now
        field.__dict__.pop("_get_default", None)  # Django keeps it once it was asked for
