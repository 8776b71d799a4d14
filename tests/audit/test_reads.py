"""Reads of the log and of container logs: an entry an hour for each person and subject, and one with the number."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console.audit import reads
from console.audit.details import details
from console.audit.models import Entry, ReadWindow
from console.audit.verification import verify
from tests.audit.conftest import ALICE, REF

pytestmark = pytest.mark.django_db


def read(times: int = 1, subject: str = "revision shop-00001") -> None:
    for _ in range(times):
        reads.note("logs", actor=ALICE, by=("view",), ref=REF, subject=subject)


def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(reads.timezone, "now", lambda: later)


def test_the_first_read_is_an_entry_at_once_and_the_rest_of_the_hour_one_with_their_number(monkeypatch) -> None:
    read(3)
    read(subject="revision shop-00002")
    assert list(Entry.objects.values_list("action", flat=True)) == ["read.logs", "read.logs"]
    before = Entry.objects.order_by("sequence").first().hash
    assert reads.close_past() == 0  # the hour is not over
    an_hour_later(monkeypatch)
    assert reads.close_past() == 1  # the other subject was read once
    closing = Entry.objects.first()
    assert (closing.action, closing.actor_id, closing.service) == ("read.logs-more", ALICE.user_id, REF.name)
    assert closing.text.startswith("revision shop-00001, 2 more from ")
    assert details(closing)["reads"] == "2"
    assert Entry.objects.order_by("sequence").first().hash == before
    assert not ReadWindow.objects.exists()
    assert reads.close_past() == 0
    assert verify() == 3


def test_a_new_hour_is_a_new_entry(monkeypatch) -> None:
    read(2)
    an_hour_later(monkeypatch)
    read()
    assert [one.action for one in Entry.objects.order_by("sequence")] == ["read.logs", "read.logs"]
