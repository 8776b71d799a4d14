"""Access tests go where the service's status says, and never where credentials lie."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from console.cluster import addresses, service_request
from console.cluster.service_request import AddressRefused, Target, ask, target
from tests.cluster.scripted_server import CUT, HANG, answer, scripted
from tests.cluster.world import connection_to


@pytest.fixture
def names(monkeypatch):
    """A name service of our own: name to addresses; counts how often it was asked."""
    known: dict[str, list[str]] = {"api.example.com": ["203.0.113.9"]}
    asked: list[str] = []

    def getaddrinfo(host, port, **_options):
        asked.append(host)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in known[host]]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    known["asked"] = asked
    return known


REAL = connection_to("https://api.example.com:6443")
FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "fec0::1",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_inside_the_machine_or_of_metadata_is_refused(names, address):
    names["hello.default.example.com"] = [address]
    with pytest.raises(AddressRefused) as caught:
        target(REAL, "http://hello.default.example.com")
    assert caught.value.why == "inside-the-machine"


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_ingress_that_somebody_typed_leads_nowhere_else_either(names, address):
    names["ingress.example.com"] = ["198.51.100.7", address]
    typed = replace(REAL, ingress="ingress.example.com:80", is_guarded=True)
    with pytest.raises(AddressRefused):
        target(typed, "http://hello.default.example.com")
    names["ingress.example.com"] = ["198.51.100.7"]
    assert target(typed, "http://hello.default.example.com").address == "198.51.100.7"


def test_one_bad_address_among_good_ones_is_enough(names):
    names["hello.default.example.com"] = ["198.51.100.7", "127.0.0.1"]
    with pytest.raises(AddressRefused):
        target(REAL, "http://hello.default.example.com")


def test_the_api_server_is_refused_by_whatever_name(names):
    names["hello.default.example.com"] = ["203.0.113.9"]
    with pytest.raises(AddressRefused):
        target(REAL, "http://hello.default.example.com")


def test_the_address_that_was_checked_is_the_one_that_is_asked(names):
    names["hello.default.example.com"] = ["198.51.100.7"]
    assert target(REAL, "https://hello.default.example.com") == Target(
        "198.51.100.7", 443, "hello.default.example.com", True
    )
    assert names["asked"].count("hello.default.example.com") == 1


@pytest.mark.parametrize("address", ["10.0.0.8", "192.168.1.4", "2001:db8:1::7", "64:ff9b::cb00:7108"])
def test_addresses_of_the_own_network_are_where_clusters_are(names, address):
    names["hello.default.example.com"] = [address]
    found = target(REAL, "http://hello.default.example.com:8080")
    assert (found.address, found.port) == (address, 8080)


def test_a_name_that_nobody_knows_is_refused(names):
    with pytest.raises(AddressRefused) as caught:
        target(REAL, "http://hello.default.example.com")
    assert caught.value.why == "not-found"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hello.default.example.com",
        "ftp://hello.example.com",
        "file:///etc/passwd",
        "http://",
        "http://[::1]/",
        "http://[bad/",
        "http://hello.example.com:99999/",
        "http://hello.example.com\r\nX-Evil: 1/",
        "http://hel\tlo.example.com",
        "http://-hello.example.com",
        "http://hello..example.com",
        "http://he_llo.example.com",
        "http://h\N{FULLWIDTH LATIN SMALL LETTER E}llo.example.com",
        "http://" + "a" * 64 + ".example.com",
        "http://" + "a." * 130 + "com",
    ],
)
@pytest.mark.parametrize("ingress", ["", "127.0.0.1:8080"])
def test_what_is_no_host_name_is_refused_and_nothing_is_asked(names, url, ingress):
    connection = connection_to("https://api.example.com", ingress=ingress)
    with pytest.raises(AddressRefused) as caught:
        target(connection, url)
    assert caught.value.why == "not-a-host-name"
    assert names["asked"] == []


@pytest.mark.parametrize("written", ["2130706433", "127.1", "0x7f.0.0.1", "localhost"])
def test_this_machine_in_other_letters_is_refused(written):
    with pytest.raises(AddressRefused):
        target(connection_to("http://192.0.2.1"), f"http://{written}/")


def test_a_configured_ingress_gets_the_services_name_as_host():
    revisions = answer(b"Hello First!\nmore", Knative_Serving_Revision="hello-00001")
    with scripted(revisions) as server:
        where = target(
            connection_to("http://192.0.2.1", ingress=f"127.0.0.1:{server.port}"), "https://hello.default.example.com"
        )
        found = ask(where)
    assert (found.status, found.body, found.revision, found.error) == (200, "Hello First!", "hello-00001", "")
    assert server.requests[0].header("Host") == ["hello.default.example.com"]
    assert server.requests[0].method == "GET"


def local(port: int) -> Target:
    return Target("127.0.0.1", port, "hello.default.example.com", tls=False)


def test_a_redirect_is_an_answer_and_not_followed():
    with scripted(answer(b"", 302, Location="http://169.254.169.254/")) as server:
        assert ask(local(server.port)).status == 302
    assert len(server.requests) == 1


def test_signs_that_a_database_or_terminal_cannot_bear_are_replaced():
    with scripted(answer(b"a\x00b\x1b[31mc\xff" + b"x" * 500)) as server:
        body = ask(local(server.port)).body
    assert body.isprintable()
    assert body.startswith("a\N{REPLACEMENT CHARACTER}b")
    assert len(body) == service_request.SHOWN_CHARACTERS


@pytest.mark.parametrize("named", ["<script>", "a b", "x" * 64, "UPPER"])
def test_a_revision_that_is_no_name_is_unknown(named):
    with scripted(answer(b"hi", Knative_Serving_Revision=named)) as server:
        assert ask(local(server.port)).revision == ""


def test_an_endless_answer_is_cut():
    with scripted([b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65536] * 20, HANG]) as server:
        assert ask(local(server.port)).body == "x" * service_request.SHOWN_CHARACTERS


@pytest.mark.parametrize(
    "script", [[CUT], [b"rubbish\r\n\r\n", CUT], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", CUT], [HANG]]
)
def test_an_answer_that_fails_is_an_answer_with_an_error(script):
    with scripted(script) as server:
        found = ask(local(server.port), seconds=0.3)
    assert (found.status, bool(found.error)) == (0, True)


def test_an_answer_that_drips_ends_in_time():
    drops = [piece for _ in range(40) for piece in (b"x", b"")]
    with scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *drops, HANG]) as server:
        assert ask(local(server.port), seconds=0.2).error
