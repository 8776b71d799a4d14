"""An API server or a service that answers one byte at a time keeps nobody: each call out has an end.

No test asserts on seconds: the deadline's own error ended the call while the server was still dripping.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from console.cluster import addresses, errors, probe, service_request, transport
from console.cluster.connections import ClusterSettings, Connection, connect
from console.cluster.gateway import Gateway
from console.cluster.probe import ProbeResult
from console.cluster.resources import SERVICES
from console.cluster.service_request import Target, ask
from console.cluster.watches import Broken, Connected, Listed, ListWatch
from console.deadlines import within
from console.knative.objects import Service
from console.sandbox.certificate import make_certificate
from tests.cluster.scripted_server import Drip, ScriptedServer, answer, listed, scripted, stream
from tests.cluster.world import transport_to
from tests.drips import (
    DRIPS,
    HALF_A_HANDSHAKE,
    LONG,
    SHORT,
    dripping_port,
    ended_by_deadline,
    greedy_port,
)

PATH = "/apis/serving.knative.dev/v1/services"
SERVICE = {"metadata": {"namespace": "a", "name": "b"}}


@pytest.fixture(params=DRIPS, name="server")
def dripping(request) -> Iterator[ScriptedServer]:
    with scripted(DRIPS[request.param]) as server:
        yield server


@pytest.fixture
def hurried(monkeypatch) -> None:
    """All calls together have as much time as one."""
    for name in ("READ_SECONDS", "WRITE_SECONDS", "MAX_LIST", "WATCH_GRACE"):
        monkeypatch.setattr(transport, name, SHORT)


def added(url: str) -> ClusterSettings:
    return ClusterSettings("a", url=url, token="t", guarded=True, loopback=True)


def once(settings: ClusterSettings) -> Connection:
    """A connection that tries once."""
    connection = connect(settings)
    return replace(connection, transport=connection.transport.with_timeout(60))


@contextmanager
def ending(server: ScriptedServer, *kinds: type[errors.ClusterError]) -> Iterator[None]:
    """The deadline ends what is done inside by one of these errors, while the server is still dripping."""
    with pytest.raises(kinds) as caught:
        yield
    assert ended_by_deadline(caught.value)
    assert not server.has_dripped_all


def test_a_read_ends(server, hurried):
    with ending(server, errors.Unreachable):
        once(added(server.url)).transport.call("GET", PATH)


def test_a_write_ends_and_is_uncertain_since_it_was_sent(server, hurried, monkeypatch):
    monkeypatch.setattr(transport, "WRITE_SECONDS", 1.0)  # enough to connect and send on a busy machine
    with ending(server, errors.Uncertain):
        once(added(server.url)).transport.call("PUT", PATH, body={})


def test_a_read_of_a_configured_cluster_ends_too(hurried):
    with scripted(DRIPS["the chunks"]) as server, ending(server, errors.Unreachable):
        once(ClusterSettings("a", url=server.url, token="t")).transport.call("GET", PATH)


EVERYTHING = {
    "a log": lambda gateway: gateway.pod_log("a", "b", "c"),
    "a list": lambda gateway: gateway.pods("a", revision="b"),
    "names": lambda gateway: gateway.object_names(SERVICES, "a"),
    "events": lambda gateway: gateway.pod_warnings("a", "b"),
    "a question about rights": lambda gateway: gateway.can_i("get", SERVICES, "a"),
    "a dry run": lambda gateway: gateway.replace_service(Service(SERVICE), dry_run=True),
    "a creation": lambda gateway: gateway.create_service(Service(SERVICE)),
    "a deletion": lambda gateway: gateway.delete_service("a", "b", uid="c"),
    "the version": lambda gateway: gateway.version(),
}


@pytest.mark.parametrize("what", EVERYTHING)
def test_whatever_is_asked_ends(what, hurried):
    with scripted(DRIPS["the body"]) as server, ending(server, errors.Unreachable, errors.Uncertain):
        EVERYTHING[what](Gateway(once(added(server.url))))


def test_all_attempts_of_a_call_end_together():
    with scripted(DRIPS["the body"]) as server, ending(server, errors.Unreachable):
        connect(added(server.url)).transport.with_timeout(SHORT, attempts=1000).call("GET", PATH)
    assert len(server.requests) < 10


@pytest.mark.parametrize("lines", [LONG, b"\n" * 10_000, b'{"type":"BOOKMARK","object":{' + LONG], ids=["x", "nl", "{"])
def test_a_watch_that_drips_ends(lines, hurried):
    head = stream()[0]
    dripped = b"".join(b"1\r\n" + lines[at : at + 1] + b"\r\n" for at in range(len(lines)))
    with scripted([head, Drip(dripped)]) as server, ending(server, errors.Unreachable):
        for _ in connect(added(server.url)).transport.watch(PATH, {}, seconds=0).lines():
            pass


def test_a_watch_that_does_not_begin_ends(server, hurried):
    with ending(server, errors.Unreachable):
        list(connect(added(server.url)).transport.watch(PATH, {}, seconds=0).lines())


def test_a_watch_of_one_service_ends(hurried):
    with scripted([stream()[0], Drip(b"1\r\n\n\r\n" * 2000)]) as server, ending(server, errors.Unreachable):
        gateway = Gateway(connect(added(server.url)))
        list(gateway.watch_service("a", "b", "1", seconds=0, stop=threading.Event()))


def test_the_mirror_is_told_that_its_watch_drips(hurried, monkeypatch):
    monkeypatch.setattr("console.cluster.watches.WATCH_SECONDS", 0)
    with scripted(listed("a"), [stream()[0], Drip(b"1\r\n{\r\n" * 2000)]) as server:
        happenings = ListWatch(connect(added(server.url)).transport, SERVICES).run()
        kinds = [next(happenings) for _ in range(4)]
        assert [type(one) for one in kinds[1:]] == [Listed, Connected, Broken]
        assert ended_by_deadline(kinds[-1].error)


def test_a_list_that_never_ends_ends(monkeypatch):
    monkeypatch.setattr(transport, "MAX_LIST", SHORT)
    with scripted(listed("a", token="more")) as server, ending(server, errors.Unreachable):
        Gateway(connect(added(server.url))).pods("a", revision="b")


def test_a_list_that_never_ends_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(transport, "MAX_LIST_BYTES", 1000)
    with scripted(listed("a", token="more")) as server, pytest.raises(errors.ServerFailed):
        Gateway(connect(added(server.url))).pods("a", revision="b")


def test_a_list_of_the_mirror_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(transport, "MAX_LIST_BYTES", 1000)
    with scripted(listed("a", token="more")) as server:
        watch = ListWatch(connect(added(server.url)).transport, SERVICES)
        broken = next(happening for happening in watch.run() if isinstance(happening, Broken))
    assert isinstance(broken.error, errors.ServerFailed)


def test_a_connection_test_ends(server, monkeypatch):
    monkeypatch.setattr(probe, "PROBE_SECONDS", SHORT)
    report = probe.probe(added(server.url), impersonates=False)
    assert report.result == ProbeResult.TIMEOUT
    assert not server.has_dripped_all


def test_one_question_of_a_connection_test_ends(monkeypatch):
    monkeypatch.setattr(probe, "CALL_SECONDS", SHORT)
    with scripted(DRIPS["the body"]) as server:
        report = probe.probe(added(server.url), impersonates=False)
    assert report.result == ProbeResult.TIMEOUT
    assert not server.has_dripped_all


def test_a_test_request_ends(server):
    result = ask(Target("127.0.0.1", server.port, "shop.example.com", tls=False), seconds=SHORT)
    assert (result.status, result.error) == (0, "ReadTimeoutError")
    assert not server.has_dripped_all


def test_a_test_request_over_tls_ends_in_the_handshake():
    with dripping_port(HALF_A_HANDSHAKE) as (port, ended):
        result = ask(Target("127.0.0.1", port, "shop.example.com", tls=True), seconds=SHORT)
        assert (result.status, result.error) == (0, "ConnectTimeoutError")
        assert not ended.is_set()


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_handshake_of_tls_that_drips_ends_and_nothing_was_written(method):
    with dripping_port(HALF_A_HANDSHAKE) as (port, ended):
        asked = connect(added(f"https://127.0.0.1:{port}")).transport
        with within(SHORT), pytest.raises(errors.Unreachable) as caught:
            asked.call(method, PATH, body={})
        assert ended_by_deadline(caught.value)
        assert not ended.is_set()


def test_an_answer_over_tls_that_drips_ends(tmp_path, hurried):
    made = make_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.file, made.key_file)
    with scripted(DRIPS["the body"], tls=context) as server, ending(server, errors.Unreachable):
        once(replace(added(server.url), ca=made.text)).transport.call("GET", PATH)


def test_a_server_that_hardly_takes_a_write_ends_it():
    with greedy_port() as port, within(1.0), pytest.raises(errors.Uncertain) as caught:
        connect(added(f"http://127.0.0.1:{port}")).transport.call("PUT", PATH, body={"x": "y" * 8_000_000})
    assert ended_by_deadline(caught.value)


@contextmanager
def silent_names(monkeypatch) -> Iterator[None]:
    """A name service that answers nothing until the end."""
    over = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_options: over.wait(60) and [])
    try:
        yield
    finally:
        over.set()


def test_a_name_service_that_does_not_answer_ends(monkeypatch):
    with silent_names(monkeypatch), within(SHORT), pytest.raises(errors.Unreachable) as caught:
        connect(ClusterSettings("a", url="https://cluster.example.com")).transport.call("GET", PATH)
    assert ended_by_deadline(caught.value)


def test_a_connection_test_tells_that_the_name_service_does_not_answer(monkeypatch):
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", SHORT)
    with silent_names(monkeypatch):
        report = probe.probe(added("https://cluster.example.com"), impersonates=False)
    assert report.result == ProbeResult.TIMEOUT


def test_a_test_request_ends_when_the_name_service_does_not_answer(monkeypatch):
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", SHORT)
    cluster = Connection("a", transport_to("http://127.0.0.1:1")[0])
    with silent_names(monkeypatch), pytest.raises(service_request.AddressRefused) as caught:
        service_request.target(cluster, "http://shop.example.com")
    assert ended_by_deadline(caught.value)


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]
users:
- name: a
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: cat, args: [FIFO], interactiveMode: Never}
"""


def test_a_program_of_a_kubeconfig_that_does_not_answer_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("console.cluster.connections.CREDENTIALS_SECONDS", SHORT)
    fifo, config = tmp_path / "fifo", tmp_path / "config"
    os.mkfifo(fifo)
    config.write_text(KUBECONFIG.replace("FIFO", str(fifo)))
    with pytest.raises(errors.ClusterError) as caught:
        connect(ClusterSettings("a", kubeconfig=str(config)))
    assert ended_by_deadline(caught.value)
    os.close(os.open(fifo, os.O_WRONLY))  # lets the program end


def test_no_write_is_sent_when_no_time_is_left():
    with scripted(answer({})) as server:
        asked = connect(added(server.url)).transport
        asked.call("GET", PATH)  # leaves an open connection
        with within(-1), pytest.raises(errors.Unreachable):
            asked.call("PUT", PATH, body={})
    assert [request.method for request in server.requests] == ["GET"]


def test_an_open_connection_is_used_again_after_a_deadline():
    with scripted(answer({"kind": "Service"})) as server:
        asked = connect(added(server.url)).transport
        for _ in range(3):
            with within(60):
                assert asked.call("GET", PATH) == {"kind": "Service"}
    assert len(server.requests) == 3
