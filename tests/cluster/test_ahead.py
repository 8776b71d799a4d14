"""The next page is on its way while the present one is in use."""

from __future__ import annotations

import threading

import pytest

from console.cluster.ahead import ahead

DEADLINE = 60  # seconds


def test_the_next_is_fetched_while_the_present_one_is_in_use():
    is_second_fetched = threading.Event()

    def source():
        yield "first"
        is_second_fetched.set()
        yield "second"

    items = ahead(source())
    assert next(items) == "first"
    assert is_second_fetched.wait(DEADLINE), "nothing is fetched before it is asked for"
    assert list(items) == ["second"]


def test_no_more_than_one_is_fetched_ahead():
    fetched: list[int] = []
    third = threading.Event()

    def source():
        for number in range(10):
            fetched.append(number)
            if number == 2:
                third.set()
            yield number

    items = ahead(source())
    assert [next(items), next(items)] == [0, 1]
    assert third.wait(DEADLINE)
    assert fetched == [0, 1, 2]


def test_what_the_source_raises_is_raised_after_what_came_before():
    def source():
        yield 1
        raise ConnectionError("the server went away")

    items = ahead(source())
    assert next(items) == 1
    with pytest.raises(ConnectionError, match="went away"):
        next(items)


def test_a_consumer_that_stops_does_not_wait_for_what_hangs():
    may_end = threading.Event()

    def source():
        yield 1
        may_end.wait(DEADLINE)
        yield 2

    items = ahead(source())
    assert next(items) == 1
    items.close()
    assert not may_end.is_set()
    may_end.set()
