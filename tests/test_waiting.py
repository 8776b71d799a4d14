"""What waits in the tests says, when it gives up, how things are by then."""

from __future__ import annotations

import pytest

from tests import console_process
from tests.waiting import eventually


def test_the_message_tells_how_things_are_when_the_time_is_over() -> None:
    asked: list[int] = []

    def is_so() -> bool:
        asked.append(len(asked))
        return False

    with pytest.raises(AssertionError) as raised:
        eventually(is_so, timeout=0.05, message=lambda: f"asked {len(asked)} times")
    assert str(raised.value) == f"asked {len(asked)} times"
    assert len(asked) > 1


def test_no_two_programs_are_given_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_process, "SERVER_PORTS", (21_000, 21_099))
    given = [console_process.free_port() for _ in range(40)]
    assert len(set(given)) == len(given)
