"""Re-encrypting everything at rest with the newest key, so that an older one can be removed."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models

from console import sealing

CHUNK = 200


@dataclass(slots=True)
class Count:
    """One column: rows that were re-encrypted, rows that had the newest key already, rows that no key decrypts."""

    column: str
    resealed: int = 0
    newest: int = 0
    lost: int = 0


def columns() -> Iterator[tuple[type[models.Model], str]]:
    """Yield each model and field that holds sealed data, of every app."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.BinaryField) and field.name.startswith(sealing.PREFIX):
                yield model, field.name


def reseal_all() -> list[Count]:
    """Encrypt every sealed value with the newest key and return what was found, a Count a column.

    It may run while the console works, and again: a row is written only while it holds what was read.
    """
    return [_reseal(model, field) for model, field in columns()]


def lost_values() -> list[Count]:
    """Return what no key decrypts, a Count a column; writes nothing."""
    return [_lost(model, field) for model, field in columns()]


def _lost(model: type[models.Model], field: str) -> Count:
    rows = model._default_manager.exclude(**{field: None}).values_list(field, flat=True)
    lost = sum(not sealing.can_unseal(sealed) for sealed in rows.iterator(chunk_size=CHUNK))
    return Count(f"{model._meta.label}.{field}", lost=lost)


def _reseal(model: type[models.Model], field: str) -> Count:
    count = Count(f"{model._meta.label}.{field}")
    rows = model._default_manager.exclude(**{field: None}).order_by("pk").values_list("pk", field)
    for pk, sealed in rows.iterator(chunk_size=CHUNK):
        if sealing.is_newest(sealed):
            count.newest += 1
            continue
        try:
            resealed = sealing.reseal(sealed)
        except sealing.InvalidToken:
            count.lost += 1
            continue
        # A row that was deleted or written meanwhile is left alone: its writer has the newest key.
        count.resealed += model._default_manager.filter(pk=pk, **{field: bytes(sealed)}).update(**{field: resealed})
    return count
