"""A test of a connection names the first thing that stands in the way, and sends nothing where it must not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from console.cluster import addresses, connections, errors, probe
from console.cluster.connections import ClusterSettings, connect
from console.cluster.guarding import AddressForbidden
from console.cluster.probe import CHANGING, IMPERSONATING, READING, ProbeResult, Report
from tests.cluster.scripted_server import CUT, HANG, ScriptedServer, answer, scripted
from tests.cluster.test_service_request import FORBIDDEN
from tests.sandbox_process import Sandbox, sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox(speed=100, users={"viewer": []}) as running:
        yield running


def added(box: Sandbox, **changes: object) -> ClusterSettings:
    """The sandbox as one that somebody added here, where loopback is allowed."""
    settings = ClusterSettings(
        "edge", url=box.tls_url, ca=box.certificate, token=box.token, guarded=True, loopback=True
    )
    return replace(settings, **changes)


def tried(settings: ClusterSettings, *, impersonates: bool = False) -> Report:
    return probe.probe(settings, impersonates=impersonates)


def local(server: ScriptedServer, **changes: object) -> ClusterSettings:
    return replace(ClusterSettings("a", url=server.url, token="t", guarded=True, loopback=True), **changes)


@pytest.fixture
def names(monkeypatch):
    """A name service of our own: name to addresses, in turn; the rest is as ever."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        found = known.get(host)
        return real((found.pop(0) if len(found) > 1 else found[0]) if found else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def test_a_cluster_that_works_tells_its_version_and_how_fast_it_is(box):
    report = tried(added(box), impersonates=True)
    assert (report.result, report.missing, report.raw) == (ProbeResult.NONE, (), "")
    assert report.kubernetes.startswith("v1.")
    assert report.milliseconds is not None
    assert report.is_usable


def test_knatives_version_is_its_namespaces_label(box):
    labels = {"app.kubernetes.io/name": "knative-serving", "app.kubernetes.io/version": "1.19.4"}
    box.post("/api/v1/namespaces", {"metadata": {"name": "knative-elsewhere", "labels": labels}})
    assert tried(added(box)).knative == "1.19.4"


def test_an_unknown_authority(box):
    assert tried(added(box, ca="")).result == ProbeResult.AUTHORITY


def test_a_certificate_for_another_host(box, names):
    names["cluster.example.com"] = ["127.0.0.1"]
    port = box.tls_url.rpartition(":")[2]
    assert tried(added(box, url=f"https://cluster.example.com:{port}")).result == ProbeResult.HOST


def test_something_that_speaks_no_tls(box):
    assert tried(added(box, url=box.url.replace("http:", "https:"))).result == ProbeResult.TLS


def test_a_name_that_is_not_known():
    settings = ClusterSettings("a", url="https://no-such-host.invalid", token="t", guarded=True)
    assert tried(settings).result == ProbeResult.NAME


def test_a_port_on_which_nothing_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        settings = ClusterSettings(
            "a", url=f"https://127.0.0.1:{taken.getsockname()[1]}", token="t", guarded=True, loopback=True
        )
        assert tried(settings).result == ProbeResult.CONNECTION


def test_a_token_that_is_not_accepted(box):
    report = tried(added(box, token="wrong"))
    assert (report.result, report.raw) == (ProbeResult.UNAUTHORIZED, "Unauthorized")


def test_an_account_without_rights_is_told_each_one_that_is_missing(box):
    report = tried(added(box, token=box.tokens["viewer"]), impersonates=True)
    assert report.result == ProbeResult.MAY_NOT_READ
    assert set(report.missing) == {str(right) for right in (*READING, *CHANGING, *IMPERSONATING)}
    assert "update services.serving.knative.dev" in report.missing
    assert "get pods/log" in report.missing


def test_an_account_that_may_only_read_is_usable(box):
    role = {"metadata": {"name": "reader"}, "rules": [
        {"apiGroups": ["serving.knative.dev"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["namespaces", "pods", "events"], "verbs": ["get", "list", "watch"]},
    ]}  # fmt: skip
    subject = {"kind": "User", "name": "viewer", "apiGroup": "rbac.authorization.k8s.io"}
    ref = {"kind": "ClusterRole", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    box.post(f"{rbac}/clusterroles", role)
    binding = {"metadata": {"name": "reader"}, "roleRef": ref, "subjects": [subject]}
    box.post(f"{rbac}/clusterrolebindings", binding)
    report = tried(added(box, token=box.tokens["viewer"]))
    box._ask("DELETE", f"{rbac}/clusterrolebindings/reader", None, "admin")
    assert report.is_usable
    assert set(report.missing) == {
        *(f"{verb} services.serving.knative.dev" for verb in ("create", "update", "delete")),
        *("delete revisions.serving.knative.dev", "get pods/log", "create events"),
    }


VERSION = answer({"gitVersion": "v1.33.0"})


@pytest.mark.parametrize(
    ("scripts", "result"),
    [
        ([answer({}, code=302, Location="http://169.254.169.254/")], ProbeResult.REDIRECT),
        ([answer({"message": "no", "reason": "Forbidden"}, code=403)], ProbeResult.FORBIDDEN),
        ([answer({"message": "?"}, code=404)], ProbeResult.NOT_KUBERNETES),
        ([answer({"hello": "world"})], ProbeResult.NOT_KUBERNETES),
        ([answer({"message": "broken"}, code=500)], ProbeResult.FAILED),
        ([[CUT]], ProbeResult.UNREACHABLE),
        ([[HANG]], ProbeResult.TIMEOUT),
        ([VERSION, answer({"message": "nothing there"}, code=404)], ProbeResult.NO_KNATIVE),
        ([VERSION, answer({"resources": [{"name": "other"}]})], ProbeResult.NO_KNATIVE),
    ],
)
def test_what_a_server_answers_is_named(scripts, result, monkeypatch):
    monkeypatch.setattr(probe, "CALL_SECONDS", 0.3)
    with scripted(*scripts) as server:
        report = tried(local(server))
    assert report.result == result
    assert not report.is_usable


def test_a_redirect_is_not_followed():
    with scripted(answer({})) as elsewhere, scripted(
        answer({}, code=307, Location=f"{elsewhere.url}/version")
    ) as server:  # fmt: skip
        assert tried(local(server)).result == ProbeResult.REDIRECT
        assert elsewhere.requests == []


def test_a_slow_cluster_does_not_keep_the_page_waiting(monkeypatch):
    monkeypatch.setattr(probe, "PROBE_SECONDS", 0.0)
    with scripted(VERSION, answer({"resources": [{"name": "services"}]})) as server:
        assert tried(local(server)).result == ProbeResult.TIMEOUT
        assert server.requests == []


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_inside_the_machine_or_of_metadata_is_refused_before_anything_is_sent(address, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_args, **_options: found)
    monkeypatch.setattr(connections, "connect", lambda _settings: pytest.fail("connected"))
    report = tried(ClusterSettings("a", url="https://cluster.example.com", token="t", guarded=True))
    assert report.result == ProbeResult.ADDRESS


@pytest.mark.parametrize("address", [one for one in FORBIDDEN if one not in ("127.0.0.1", "127.8.8.8", "::1")])
def test_allowing_loopback_allows_nothing_else(address):
    assert addresses.is_forbidden(addresses.parse(address), loopback=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "172.16.5.5", "203.0.113.9", "2001:db8::1", "fd12::1"])
def test_private_networks_are_where_clusters_live(address):
    assert not addresses.is_forbidden(addresses.parse(address))


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_name_that_answers_otherwise_the_second_time_leads_nowhere(names, method):
    with scripted(answer({})) as server:
        names["rebinds.example.com"] = ["127.0.0.1"]
        settings = ClusterSettings("a", url=f"http://rebinds.example.com:{server.port}", token="t", guarded=True)
        transport = connect(settings).transport
        with pytest.raises(errors.Unreachable, match=r"127\.0\.0\.1 cannot be used") as caught:
            transport.call(method, "/version", body=None)
        assert isinstance(caught.value.__cause__, AddressForbidden)
        assert probe.trouble_of(caught.value) == ProbeResult.ADDRESS
        assert server.requests == []


def test_a_proxy_of_the_environment_is_not_used_where_addresses_are_checked(monkeypatch):
    with scripted(answer({})) as proxy, scripted(VERSION, answer({}, code=404)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert tried(local(server)).result == ProbeResult.NO_KNATIVE
        assert proxy.requests == []


def test_a_configured_cluster_is_not_checked(box):
    """The contents of CONSOLE_CLUSTERS come from the operators of the console."""
    assert tried(ClusterSettings("a", url=box.url, token=box.token)).is_usable
