"""What all parts of the console observe about connections to the database."""

import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from console.texts import storable

M = TypeVar("M", bound=Model)
Value = int | str | uuid.UUID | datetime


def give_back() -> None:
    """Give this thread's connection back to the pool before a cluster is asked; the next query takes one again.

    Else a few slow clusters would hold all the connections of a web process, and every page would wait for one.
    """
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


def after_commit(work: Callable[..., object], *args: object) -> None:
    """Call `work` once this transaction is committed. What fails there is logged and not raised: the page would say
    that nothing was saved. A sweep does later what was left undone, a browser looks again by itself.
    """

    def do() -> None:  # Django logs what failed by its __qualname__, which a functools.partial has not
        work(*args)

    transaction.on_commit(do, robust=True)


class Prepared:
    """A query for some columns that may depend on a few values, such as a person's id, and whose SQL is written once.

    Django takes 0.1 to 1 ms to write the SQL of a query, which the database answers in 0.02: for what every page asks.
    `build` returns the query of the values as a `values_list`; of its SQL, only parameters may depend on them, and each
    has to be a parameter as the database takes it.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._of_thread = threading.local()  # as connections are

    def rows(self, *values: Value) -> list[tuple[Any, ...]]:
        """Return the rows, with the values that Django's own query would give."""
        compiler, sql, parameters = self._compiled(values)
        given = [_parameter_of(value, compiler.connection) for value in values]
        with compiler.connection.cursor() as cursor:
            cursor.execute(sql, [given[one.place] if isinstance(one, _Given) else one for one in parameters])
            found = cursor.fetchall()
        return [tuple(row) for row in compiler.results_iter(results=[found])]

    def instances(self, model: type[M], *values: Value) -> list[M]:
        """Return the rows as instances of the model that the query is of; fields that it does not name are deferred."""
        rows = self.rows(*values)
        names = self._compiled(values)[0].query.values_select
        places = [names.index(one.attname) for one in model._meta.concrete_fields if one.attname in names]
        in_order = [names[place] for place in places]
        return [model.from_db(DEFAULT_DB_ALIAS, in_order, [row[place] for place in places]) for row in rows]

    def _compiled(self, values: Sequence[Value]) -> tuple[SQLCompiler, str, list[Any]]:
        known: tuple[SQLCompiler, str, list[Any]] | None = getattr(self._of_thread, "compiled", None)
        if known is None or known[0].connection is not connections[DEFAULT_DB_ALIAS]:
            known = self._of_thread.compiled = self._compile(values)
        return known

    def _compile(self, values: Sequence[Value]) -> tuple[SQLCompiler, str, list[Any]]:
        """Raises ValueError where a value is not a parameter, or not as it is."""
        samples = [_sample(value, place) for place, value in enumerate(values)]
        compiler = self._build(*samples).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        taken = [_parameter_of(sample, compiler.connection) for sample in samples]
        missing = [place for place, sample in enumerate(taken) if sample not in parameters]
        if missing:
            raise ValueError(f"values {missing} are no parameters of {sql}")
        return compiler, sql, [_Given(taken.index(one)) if one in taken else one for one in parameters]


class _Given(NamedTuple):
    """The place of a given value among the parameters of a Prepared."""

    place: int


def _sample(value: Value, place: int) -> Value:
    """Return what no query has as a value of its own."""
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=place)
    if isinstance(value, datetime):
        return datetime(1900, 1, 1, tzinfo=UTC) + timedelta(microseconds=place)
    return f"\ue000{place}" if isinstance(value, str) else -(10**9) - place


def _parameter_of(value: Value, connection: BaseDatabaseWrapper) -> Any:
    """Return the value as the database takes it: SQLite has neither ids nor moments."""
    if isinstance(value, uuid.UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def keep_storable(*, connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Let no query through this connection fail by a character that no text may contain; for `connection_created`.

    What a cluster, a container or an identity provider says goes into many tables; here is the one way to all of them.
    """
    if _execute_storable not in connection.execute_wrappers:
        # The first: Django takes the last away again where it wraps a block of code.
        connection.execute_wrappers.insert(0, _execute_storable)


def _execute_storable(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if params:
        params = [_parameters(one) for one in params] if many else _parameters(params)
    return execute(sql, params, many, context)


def _parameters(params: Any) -> Any:
    if isinstance(params, dict):
        return {name: _parameter(one) for name, one in params.items()}
    return [_parameter(one) for one in params] if isinstance(params, list | tuple) else params


def _parameter(value: Any) -> Any:
    """JSON for PostgreSQL is still an object here (psycopg's Jsonb); SQLite gets it as a text with escapes."""
    if hasattr(value, "obj") and hasattr(value, "dumps"):
        return type(value)(storable(value.obj), value.dumps)
    return storable(value) if isinstance(value, str | list) else value
