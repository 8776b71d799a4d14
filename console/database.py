"""What all parts of the console observe about connections to the database."""

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from console.texts import storable


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
