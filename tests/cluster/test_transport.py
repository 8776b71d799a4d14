"""One HTTP exchange: what is tried again, what never is, and what each answer means."""

import gc
import socket
import threading
from collections.abc import Iterator

import pytest

from console.cluster import errors, transport
from console.cluster.transport import Identity
from tests.cluster.scripted_server import CUT, answer, listed, scripted, status
from tests.cluster.world import transport_to

PATH = "/apis/serving.knative.dev/v1/services"


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_read_is_tried_again_when_the_server_fails(code):
    with scripted(answer(status(code), code), answer(status(code), code), answer({"kind": "Service"})) as server:
        asked, waits = transport_to(server.url)
        assert asked.call("GET", PATH) == {"kind": "Service"}
    assert len(server.requests) == 3
    assert waits == [0.5, 1.0]


def test_a_read_gives_up_after_a_few_attempts():
    with scripted(answer(status(503), 503)) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(errors.ServerFailed):
            asked.call("GET", PATH)
    assert len(server.requests) == transport.ATTEMPTS


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_a_write_that_may_have_arrived_is_never_repeated(method):
    with scripted([CUT]) as server:
        asked, waits = transport_to(server.url)
        with pytest.raises(errors.Uncertain):
            asked.call(method, PATH, body={})
    assert len(server.requests) == 1
    assert waits == []


def test_a_write_whose_answer_is_cut_is_uncertain():
    with scripted([b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"kind"', CUT]) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(errors.Uncertain):
            asked.call("PUT", PATH, body={})


def test_a_write_that_cannot_be_sent_is_unreachable_not_uncertain():
    asked, waits = transport_to(f"http://127.0.0.1:{refused_port()}")
    with pytest.raises(errors.Unreachable) as caught:
        asked.call("PUT", PATH, body={})
    assert "refused" in str(caught.value).lower()
    assert "0x" not in str(caught.value)
    assert waits == []


def test_a_write_that_failed_in_the_server_is_not_repeated():
    with scripted(answer(status(500), 500)) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(errors.ServerFailed):
            asked.call("PUT", PATH, body={})
    assert len(server.requests) == 1


def test_throttling_is_waited_out_and_told():
    heard = []
    with scripted(answer(status(429), 429, Retry_After="7"), answer({"kind": "Service"})) as server:
        asked, waits = transport_to(server.url)
        asked.call("PUT", PATH, body={}, on_wait=lambda error, seconds: heard.append((type(error), seconds)))
    assert waits == [8.0]
    assert heard == [(errors.Throttled, 8.0)]


@pytest.mark.parametrize("asked_for", ["3600", "99999999999", "²", "Wed, 21 Oct 2026 07:28:00 GMT", "-1"])
def test_retry_after_is_capped_and_one_call_waits_a_bounded_time(asked_for):
    with scripted(answer(status(429), 429, Retry_After=asked_for.encode().decode("latin-1"))) as server:
        asked, waits = transport_to(server.url)
        with pytest.raises(errors.Throttled):
            asked.call("GET", PATH)
    assert all(0 < wait <= transport.MAX_WAIT + 1 for wait in waits)
    assert sum(waits) <= transport.MAX_WAITS


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What other tests left is not finalised at the depth of recursion that a body reaches."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    "body", [b"<html>Sign in</html>", b"", b"[]", b'"text"', b"{", b"[" * 100_000, b'{"a":' * 100_000]
)
def test_an_answer_that_is_no_json_object_is_the_servers_failure(body):
    with scripted(answer(body)) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(errors.ServerFailed):
            asked.call("GET", PATH)


def test_a_redirect_is_not_followed():
    with scripted(answer(b"", 302, Location="http://127.0.0.1:1/elsewhere")) as server:
        asked, _ = transport_to(server.url, token="secret")
        with pytest.raises(errors.ServerFailed, match="redirects"):
            asked.call("GET", PATH)
    assert len(server.requests) == 1


def test_an_answer_that_is_too_large_is_cut_and_its_connection_not_used_again(monkeypatch):
    monkeypatch.setattr(transport, "MAX_ANSWER", 1000)
    with scripted(answer(b'{"a":"' + b"x" * 5000 + b'"}'), answer({"second": True})) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(errors.ServerFailed, match="larger"):
            asked.call("GET", PATH)
        assert asked.call("GET", PATH) == {"second": True}


def test_a_long_refusal_leaves_nothing_in_the_connection(monkeypatch):
    monkeypatch.setattr(transport, "MAX_ERROR", 1000)
    with scripted(answer(b"x" * 50_000, 400), answer({"second": True})) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(errors.Refused) as caught:
            asked.call("GET", PATH)
        assert asked.call("GET", PATH) == {"second": True}
    assert len(caught.value.raw) <= 500


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", errors.Refused),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Expired", errors.Expired),
        (413, "RequestEntityTooLarge", errors.Refused),
        (422, "Invalid", errors.Refused),
    ],
)
def test_each_status_has_its_type_and_is_not_tried_again(code, reason, kind):
    with scripted(answer(status(code, reason, "the facts", kind="services"), code)) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(kind) as caught:
            asked.call("GET", PATH)
    assert (str(caught.value), caught.value.code, caught.value.reason) == ("the facts", code, reason)
    assert caught.value.details == {"kind": "services"}
    assert len(server.requests) == 1


def test_a_refusal_without_a_status_body_still_has_words():
    with scripted(answer(b"no such thing", 404, Content_Type="text/plain")) as server:
        asked, _ = transport_to(server.url)
        with pytest.raises(errors.NotFound, match="no such thing"):
            asked.call("GET", PATH)


def test_the_webhooks_introduction_is_not_part_of_the_message():
    raw = (
        'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: '
        "Traffic targets sum to 110, want 100: spec.traffic"
    )
    refusal = errors.Refused(raw, 400)
    assert refusal.message == "Traffic targets sum to 110, want 100: spec.traffic"
    assert refusal.webhook == "validation.webhook.serving.knative.dev"


def test_logs_are_text_whatever_they_look_like():
    with scripted(answer(b'{"level":"info"}\nplain \xff\n', Content_Type="text/plain")) as server:
        asked, _ = transport_to(server.url)
        assert asked.text("/log") == '{"level":"info"}\nplain \N{REPLACEMENT CHARACTER}\n'


def test_a_person_is_named_in_headers_of_that_call_only():
    with scripted(answer({})) as server:
        asked, _ = transport_to(server.url, token="secret")
        asked.call("GET", PATH, identity=Identity("李雷@shop.example", ("sluice:front", "sluice:后端")))
        asked.call("GET", PATH)
    first, second = server.requests
    assert [name.encode("latin-1").decode() for name in first.header("Impersonate-User")] == ["李雷@shop.example"]
    assert [name.encode("latin-1").decode() for name in first.header("Impersonate-Group")] == [
        "sluice:front",
        "sluice:后端",
    ]
    assert second.header("Impersonate-User") == second.header("Impersonate-Group") == []
    assert first.header("Authorization") == second.header("Authorization") == ["Bearer secret"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "system:admin",
        " system:masters",
        "\tsystem:masters",
        "system:masters ",
        "a\r\nImpersonate-Group: b",
        "a\nb",
        "a\0b",
    ],
)
def test_a_name_that_would_widen_rights_is_not_sent(name):
    with pytest.raises(ValueError, match="impersonated"):
        Identity(name).headers()
    with pytest.raises(ValueError, match="impersonated"):
        Identity("alice", (name,)).headers()


def test_two_people_at_once_are_never_mixed_up():
    with scripted(answer({})) as server:
        asked, _ = transport_to(server.url)

        def many(user: str) -> None:
            for _ in range(100):
                asked.call("GET", f"/{user}", identity=Identity(user, (f"team-{user}",)))

        threads = [threading.Thread(target=many, args=(user,)) for user in ("alice", "bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.requests) == 200
    for request in server.requests:
        user = request.target.strip("/")
        assert (request.header("Impersonate-User"), request.header("Impersonate-Group")) == ([user], [f"team-{user}"])


def test_names_cannot_leave_their_place_in_the_address():
    from console.cluster.resources import SERVICES

    assert SERVICES.path("../x", "a/b?c") == f"{PATH.removesuffix('services')}namespaces/..%2Fx/services/a%2Fb%3Fc"


def test_a_list_that_is_answered_is_read():
    with scripted(listed("a")) as server:
        asked, _ = transport_to(server.url)
        assert asked.call("GET", PATH, query={"limit": 5})["items"][0]["metadata"]["name"] == "a"
    assert server.requests[0].target == f"{PATH}?limit=5"
