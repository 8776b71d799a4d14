"""The loop that lists and watches, against servers that do everything wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable

from console.cluster import errors
from console.cluster.resources import PODS, SERVICES, Resource
from console.cluster.watches import (
    MAX_BACKOFF,
    WATCH_SECONDS,
    Broken,
    Connected,
    Event,
    Listed,
    ListWatch,
    Page,
    WatchEvent,
)
from tests.cluster.scripted_server import (
    CUT,
    HANG,
    ScriptedServer,
    answer,
    event,
    listed,
    scripted,
    status,
    stream,
)
from tests.cluster.world import transport_to
from tests.waiting import eventually


class Following:
    """A ListWatch on a scripted server; waits are written down and take no time."""

    def __init__(self, server: ScriptedServer, resource: Resource = SERVICES, resource_version: str = "") -> None:
        asked, _ = transport_to(server.url)
        self.waits: list[float] = []
        self.seen: list[Event] = []
        self.loop = ListWatch(asked, resource, resource_version, jitter=lambda: 1.0, clock=lambda: 0.0)
        self.loop.pause = self.waits.append

    def until(self, is_enough: Callable[[], bool]) -> Following:
        """Follow in this thread until the condition holds."""
        for each in self.loop.run():
            self.seen.append(each)
            if is_enough():
                break
        self.loop.end()
        return self

    def events(self) -> list[tuple[str, str]]:
        return [(seen.type, seen.object["metadata"]["name"]) for seen in self.seen if isinstance(seen, WatchEvent)]

    def of(self, kind: type) -> list:
        return [seen for seen in self.seen if isinstance(seen, kind)]


def queries(server: ScriptedServer) -> list[str]:
    """What was asked, in short: a list, or a watch from a version."""
    return [
        "watch " + request.target.partition("resourceVersion=")[2].partition("&")[0]
        if "watch=" in request.target
        else "list"
        for request in server.requests
    ]


def follow(server: ScriptedServer, count: int, **options) -> Following:
    """Follow until `count` events were seen."""
    following = Following(server, **options)
    return following.until(lambda: len(following.events()) >= count)


def test_it_lists_in_pages_and_watches_from_the_lists_version():
    with scripted(
        listed("a", "b", token="more"), listed("c", version=12), stream(event("ADDED", "d", 13), then=HANG)
    ) as server:
        followed = follow(server, 1)
    assert queries(server) == ["list", "list", "watch 12"]
    assert "limit=500" in server.requests[0].target
    assert "continue=more" in server.requests[1].target
    assert "allowWatchBookmarks=true" in server.requests[2].target
    assert [(len(page.objects), page.is_first) for page in followed.of(Page)] == [(2, True), (1, False)]
    assert followed.of(Listed) == [Listed("12")]
    assert followed.events() == [("ADDED", "d")]


def test_only_pods_of_knative_are_asked_for():
    with scripted(listed(), stream(event("ADDED", "p", 11), then=HANG)) as server:
        follow(server, 1, resource=PODS)
    assert all("labelSelector=serving.knative.dev%2Frevision" in request.target for request in server.requests)


def test_it_resumes_without_a_list():
    with scripted(stream(event("MODIFIED", "a", 51), then=HANG)) as server:
        followed = follow(server, 1, resource_version="50")
    assert queries(server) == ["watch 50"]
    assert [type(seen) for seen in followed.seen] == [Connected, WatchEvent]


def test_a_watch_that_ends_is_taken_up_where_it_ended_without_a_wait():
    with scripted(
        listed(), stream(event("ADDED", "a", 11), event("BOOKMARK", "", 20)), stream(event("ADDED", "b", 21), then=HANG)
    ) as server:
        followed = follow(server, 3)
    assert queries(server) == ["list", "watch 10", "watch 20"]
    assert followed.waits == []


def test_gone_as_a_status_lists_again_once():
    with scripted(
        listed("a"),
        answer(status(410, "Expired"), 410),
        listed("a", version=30),
        stream(event("ADDED", "b", 31), then=HANG),
    ) as server:
        followed = follow(server, 1)
    assert queries(server) == ["list", "watch 10", "list", "watch 30"]
    assert len(followed.waits) == 1


def test_gone_as_an_event_lists_again_once():
    gone = {"type": "ERROR", "object": status(410, "Expired", "too old resource version")}
    with scripted(
        listed("a"),
        stream(event("ADDED", "b", 11), gone),
        listed("a", version=30),
        stream(event("ADDED", "c", 31), then=HANG),
    ) as server:
        followed = follow(server, 2)
    assert queries(server) == ["list", "watch 10", "list", "watch 30"]
    assert len(followed.of(Broken)) == 1


def test_an_expired_continue_token_restarts_the_list():
    with scripted(
        listed("a", token="old"),
        answer(status(410, "Expired"), 410),
        listed("a", "b", version=30),
        stream(event("ADDED", "c", 31), then=HANG),
    ) as server:
        followed = follow(server, 1)
    assert [page.is_first for page in followed.of(Page)] == [True, True]
    assert followed.of(Listed) == [Listed("30")]


def test_a_version_from_a_future_that_was_lost_lists_again():
    behind = status(
        504, "Timeout", "Too large resource version: 900, current: 3", causes=[{"reason": "ResourceVersionTooLarge"}]
    )
    with scripted(answer(behind, 504), listed("a", version=3), stream(event("ADDED", "b", 4), then=HANG)) as server:
        follow(server, 1, resource_version="900")
    assert queries(server) == ["watch 900", "list", "watch 3"]


def test_garbage_is_skipped():
    lines = [
        b"\n",
        b"  \n",
        b"<html>\n",
        b'{"type":"ADDED"}\n',
        b'{"type":"ADDED","object":null}\n',
        b'{"type":5,"object":{"metadata":{}}}\n',
        b'{"type":"ADDED","object":{"metadata":[]}}\n',
        b"[1]\n",
        b"[" * 20_000 + b"\n",
        event("ADDED", "good", 11),
    ]
    with scripted(listed(), stream(*lines, then=HANG)) as server:
        followed = follow(server, 1)
    assert followed.events() == [("ADDED", "good")]


def test_a_kind_of_event_that_nobody_knows_does_no_harm():
    with scripted(listed(), stream(event("RENAMED", "a", 11), event("ADDED", "b", 12), then=HANG)) as server:
        assert follow(server, 2).events() == [("RENAMED", "a"), ("ADDED", "b")]


def test_a_line_that_is_cut_is_not_an_event_and_comes_again():
    with scripted(
        listed(),
        stream(event("ADDED", "a", 11), b'{"type":"ADDED","object":{"metadata":{"na', then=CUT),
        stream(event("ADDED", "b", 12), then=HANG),
    ) as server:
        followed = follow(server, 2)
    assert followed.events() == [("ADDED", "a"), ("ADDED", "b")]
    assert queries(server) == ["list", "watch 10", "watch 11"]


def test_lines_that_arrive_in_pieces_and_big_ones_are_put_together():
    big = event("ADDED", "big", 11, annotations={"x": "y" * 2_000_000})
    small = b'{"type":"ADDED","object":{"metadata":{"name":"small","resourceVersion":"12"}}}\n'
    with scripted(listed(), stream(big, small[:30], small[30:70], small[70:], then=HANG)) as server:
        followed = follow(server, 2)
    assert followed.events() == [("ADDED", "big"), ("ADDED", "small")]
    assert len(followed.of(WatchEvent)[0].object["metadata"]["annotations"]["x"]) == 2_000_000


def test_events_arrive_at_once_also_without_chunks():
    line = b'{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"11"}}}\n'
    with scripted(listed(), [b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n", line, HANG]) as server:
        assert follow(server, 1).events() == [("ADDED", "a")]


def test_an_event_without_an_end_is_a_failure(monkeypatch):
    from console.cluster import transport

    monkeypatch.setattr(transport, "MAX_LINE", 1000)
    with scripted(listed(), stream(b"x" * 5000, then=HANG), stream(event("ADDED", "a", 11), then=HANG)) as server:
        followed = follow(server, 1)
    assert "larger" in str(followed.of(Broken)[0].error)


def test_a_server_that_hangs_is_left_after_the_read_timeout(monkeypatch):
    from console.cluster import transport

    monkeypatch.setattr(transport, "WATCH_GRACE", 0.2 - WATCH_SECONDS)
    with scripted(
        listed(), stream(event("ADDED", "a", 11), then=HANG), stream(event("ADDED", "b", 12), then=HANG)
    ) as server:
        followed = follow(server, 2)
    assert queries(server) == ["list", "watch 10", "watch 11"]
    assert isinstance(followed.of(Broken)[0].error, errors.Unreachable)


def test_refusals_and_failures_are_backed_off():
    for code, reason in ((403, "Forbidden"), (500, "InternalError"), (401, "Unauthorized")):
        with scripted(answer(status(code, reason), code)) as server:
            following = Following(server)
            following.until(lambda following=following: sum(following.waits) > 120)
        assert len(following.waits) <= 9
        assert following.waits == sorted(following.waits)
        assert max(following.waits) == MAX_BACKOFF


def test_a_server_that_ends_every_watch_at_once_is_backed_off():
    for ending in (stream(), stream(b"rubbish\n"), stream(then=CUT)):
        with scripted(listed(), ending) as server:
            following = Following(server)
            following.until(lambda following=following: sum(following.waits) > 120)
        assert len(following.waits) <= 9


def test_a_server_that_always_says_gone_is_backed_off():
    gone = stream({"type": "ERROR", "object": status(410, "Expired")})
    with scripted(*[listed(), gone] * 20) as server:
        following = Following(server)
        following.until(lambda: sum(following.waits) > 120)
    assert len(following.waits) <= 10


def test_an_event_ends_the_backing_off():
    failing = answer(status(500), 500)
    with scripted(
        listed(), failing, failing, stream(event("ADDED", "a", 11)), failing, stream(event("ADDED", "b", 12), then=HANG)
    ) as server:
        assert follow(server, 2).waits == [1.0, 2.0, 1.0]


def test_ending_it_ends_a_silent_watch_at_once():
    with scripted(listed(), stream(event("ADDED", "a", 11), then=HANG)) as server:
        following = Following(server)
        thread = threading.Thread(target=lambda: following.until(lambda: False), daemon=True)
        thread.start()
        eventually(following.events)
        following.loop.end()
        thread.join(60)
        assert not thread.is_alive()
    assert following.of(Broken) == []


def test_ending_it_while_a_watch_opens_leaves_no_silent_watch_behind():
    def ended_meanwhile():
        following.loop.end()
        yield from stream(then=HANG)

    with scripted(listed(), ended_meanwhile()) as server:
        following = Following(server)
        thread = threading.Thread(target=lambda: following.until(lambda: False), daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert [type(seen) for seen in following.seen] == [Page, Listed]
