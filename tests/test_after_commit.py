"""What follows a commit: it cannot be reported as not saved."""

from __future__ import annotations

import logging

import pytest
from django.db import transaction

from console.database import after_commit


@pytest.mark.django_db(transaction=True)
def test_what_fails_after_the_commit_is_logged_and_not_raised(caplog) -> None:
    done: list[str] = []

    def fail(what: str) -> None:
        raise RuntimeError(what)

    with caplog.at_level(logging.ERROR), transaction.atomic():
        after_commit(fail, "no broker")
        after_commit(done.append, "told")
        assert done == []
    assert done == ["told"]
    assert "no broker" in caplog.text
