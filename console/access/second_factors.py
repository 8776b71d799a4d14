"""The secrets of second factors at rest: allauth keeps them as JSON, sealed by console.access.adapter."""

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
        sealed = [value for name in SECRETS if (value := str(data.get(name, "")))]
        count.lost += sum(not sealing.can_unseal(value.encode()) for value in sealed)
    return count


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
