"""What several people ask a cluster for at the same time: asked once, kept for seconds, and never without a bound."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from console.cluster.errors import ClusterError, Unreachable
from console.operations.lookups import looks
from console.operations.lookups.looks import Looks
from tests.waiting import eventually


def test_who_asks_while_the_cluster_is_asked_waits_for_the_same_answer() -> None:
    shared, begun, may_end, reads = Looks[str](4), threading.Event(), threading.Event(), []

    def read() -> str:
        reads.append(1)
        begun.set()
        may_end.wait()
        return "the log"

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(shared.shared, "log", read)
        begun.wait()
        others = [pool.submit(shared.shared, "log", read) for _ in range(4)]
        eventually(lambda: all(one.running() for one in others))
        may_end.set()
        assert {one.result() for one in (first, *others)} == {"the log"}
    assert len(reads) == 1


def test_a_cluster_that_does_not_answer_is_asked_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, reads = Looks[str](4), []

    def read() -> str:
        reads.append(1)
        raise Unreachable("no answer")

    for _ in range(3):
        with pytest.raises(ClusterError, match="no answer"):
            shared.shared("log", read)
    assert len(reads) == 1


def test_a_fault_of_the_reading_is_raised_and_those_who_waited_read_themselves() -> None:
    shared, begun, may_fail = Looks[str](4), threading.Event(), threading.Event()

    def failing() -> str:
        begun.set()
        may_fail.wait()
        raise KeyError("a bug")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shared.shared, "log", failing)
        begun.wait()
        waiting = pool.submit(shared.shared, "log", lambda: "the log")
        eventually(waiting.running)
        may_fail.set()
        assert waiting.result() == "the log"
    with pytest.raises(KeyError):
        first.result()
    assert shared.shared("log", lambda: "another") == "the log"


def test_after_its_time_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "KEPT_SECONDS", -1.0)
    shared, texts = Looks[str](4), iter(("old", "new"))
    assert [shared.shared("log", lambda: next(texts)) for _ in range(2)] == ["old", "new"]


def test_what_nobody_asks_for_any_more_is_forgotten_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "KEPT_SECONDS", 0.01)
    shared = Looks[str](4)
    for key in ("log", "other"):
        shared.shared(key, lambda: "text")
    eventually(lambda: not shared._by_key and shared._forgetting is None)


def test_no_more_is_kept_than_there_is_room_for() -> None:
    shared = Looks[int](3)
    for number in range(10):
        shared.shared(number, lambda number=number: number)
    assert list(shared._by_key) == [7, 8, 9]
