"""The secrets of second factors at rest: allauth keeps them as JSON, sealed by console.access.adapter."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from console import sealing
from console.registry.resealing import Count

SECRETS = ("secret", "seed")  # of an authenticator app, of recovery codes


def reseal() -> Count:
    """Encrypt the secrets with the newest key; returns what was found, a secret a row.

    A row is read again under a lock, so that a code which is used up meanwhile stays used.
    """
    count = Count("mfa.Authenticator.data")
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            for one in Authenticator.objects.select_for_update().filter(pk=pk):
                _reseal(one, count)
    return count


def lost_values() -> Count:
    """Return how many of the secrets no key decrypts; writes nothing."""
    count = Count("mfa.Authenticator.data")
    for data in Authenticator.objects.values_list("data", flat=True):
        count.lost += _lost(data)
    return count


def remove_lost() -> list[str]:
    """Remove those that no key decrypts: with them their people cannot sign in. Returns what was removed, of whom."""
    lost = [one for one in Authenticator.objects.select_related("user").order_by("pk") if _lost(one.data)]
    for one in lost:
        one.delete()  # leaves an entry (console.access.signals)
    return [f"{one.type} of {one.user.get_username()}" for one in lost]


def _lost(data: dict[str, Any]) -> int:
    sealed = [value for name in SECRETS if (value := str(data.get(name, "")))]
    return sum(not sealing.can_unseal(value.encode()) for value in sealed)


def _reseal(one: Authenticator, count: Count) -> None:
    for name in SECRETS:
        if not (sealed := str(one.data.get(name, "")).encode()):
            continue
        if sealing.is_newest(sealed):
            count.newest += 1
            continue
        try:
            one.data[name] = sealing.reseal(sealed).decode()
        except sealing.InvalidToken:
            count.lost += 1
            continue
        one.save(update_fields=["data"])
        count.resealed += 1
