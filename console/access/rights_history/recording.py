"""The rows that a change of rights writes, for the entry of that change: none is forgotten, whatever code writes it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db.models.signals import post_delete, post_save

from console.access.rights_history.rows import Key, key_of, path, text
from console.access.rights_history.tables import MODELS, row_of
from console.knative.diff import FieldChange

# A save of other columns only changes no right: the last sign-in, the password.
_COUNTED = {
    *("username", "is_active", "is_superuser", "name", "permissions", "oidc_group"),
    *("user", "team", "role", "is_owner", "from_oidc", "expires_at", "cluster", "namespace", "selector"),
}


@dataclass
class Written:
    """The rows that were written since, the last word of each: its text before (of a deleted one) and after."""

    rows: dict[Key, tuple[str | None, str | None]] = field(default_factory=dict)

    def changes(self) -> list[FieldChange]:
        """Return them as the entry keeps them."""
        return [FieldChange(path(key), before, after) for key, (before, after) in self.rows.items()]


_open: ContextVar[tuple[Written, ...]] = ContextVar("rights_written", default=())


@contextmanager
def recording() -> Iterator[Written]:
    """Gather the rows of rights that the block writes, deletions by cascade too. The block records the entry."""
    written = Written()
    token = _open.set((*_open.get(), written))
    try:
        yield written
    finally:
        _open.reset(token)


def listen() -> None:
    """Hear of every row that is saved or deleted; called once, at start."""
    for model in MODELS:
        post_save.connect(_saved, sender=model, dispatch_uid=f"rights-{model.__name__}-saved")
        post_delete.connect(_deleted, sender=model, dispatch_uid=f"rights-{model.__name__}-deleted")


def _saved(instance: Any, update_fields: Sequence[str] | None = None, **_kwargs: Any) -> None:
    if update_fields is not None and not _COUNTED & set(update_fields):
        return
    for written in _open.get():
        row = row_of(instance)
        written.rows[key_of(row)] = (None, text(row))


def _deleted(instance: Any, **_kwargs: Any) -> None:
    for written in _open.get():
        row = row_of(instance)
        written.rows[key_of(row)] = (text(row), None)
