"""What follows a commit: it cannot be reported as not saved."""

from __future__ import annotations

import logging

import pytest

from console.database import after_commit


@pytest.mark.django_db
def test_what_fails_after_the_commit_is_logged_and_not_raised(caplog, django_capture_on_commit_callbacks) -> None:
    done: list[str] = []

    def fail(what: str) -> None:
        raise RuntimeError(what)

    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        after_commit(fail, "no broker")
        after_commit(done.append, "told")
        assert done == []
    assert done == ["told"]
    assert "no broker" in caplog.text
