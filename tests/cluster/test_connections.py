"""Where clusters come from, and what a wrong setting says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from console.cluster import connections, errors
from console.cluster.connections import ClusterSettings, Connections, UnknownCluster, connect, parse
from tests.cluster.scripted_server import answer, scripted
from tests.sandbox_process import sandbox


def test_nothing_configured_is_no_cluster():
    assert parse("  ") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "CONSOLE_CLUSTERS"),
        ('{"name": "a"}', "CONSOLE_CLUSTERS"),
        ('[{"url": "https://a"}]', "name"),
        ('[{"name": ""}]', "name"),
        ('[{"name": "a"}, {"name": "a"}]', "name"),
        ('[{"name": "a", "kubeconfg": "/x"}]', "unknown keys kubeconfg"),
        ('[{"name": "a", "url": 5}]', "CONSOLE_CLUSTERS"),
        *(
            (json.dumps([{"name": "a", "ingress": bad}]), "host:port")
            for bad in ("a", "a:", ":80", "a:0", "a:70000", "a:b", "a\r\n:80")
        ),
    ],
)
def test_a_wrong_setting_says_what_is_wrong(text, said):
    with pytest.raises(ValueError, match=said):
        parse(text)


@pytest.mark.parametrize("ingress", ["10.0.0.1:80", "kourier.example.com:8080", "[2001:db8::1]:443"])
def test_an_ingress_is_an_address_with_a_port(ingress):
    assert parse(json.dumps([{"name": "a", "ingress": ingress}]))[0].ingress == ingress


def test_a_setting_of_the_version_before_still_starts_the_console():
    assert parse('[{"name": "a", "sandbox": true}]') == parse('[{"name": "a"}]')


def test_of_two_sources_the_earlier_wins_and_an_unknown_name_is_an_error():
    known = Connections()
    known.register(lambda: [ClusterSettings("a", url="http://first")])
    known.register(lambda: [ClusterSettings("a", url="http://second"), ClusterSettings("b", url="http://b")])
    assert known.names() == ("a", "b")
    assert known.get("a").transport.base == "http://first"
    with pytest.raises(UnknownCluster):
        known.get("c")


def test_a_connection_is_kept_until_its_settings_change():
    settings = [ClusterSettings("a", url="http://first")]
    known = Connections()
    known.register(lambda: settings)
    first = known.get("a")
    assert known.get("a") is first
    settings[0] = ClusterSettings("a", url="http://second")
    assert known.get("a").transport.base == "http://second"


@pytest.mark.parametrize(
    "content", [None, "", "a: [", "[]", "clusters: 5", "current-context: x\ncontexts: []\nclusters: []\nusers: []"]
)
def test_a_kubeconfig_that_cannot_be_used_names_the_cluster(tmp_path, content):
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(errors.ClusterError, match="cluster prod"):
        connect(ClusterSettings("prod", kubeconfig=str(path)))


def test_outside_a_cluster_in_cluster_says_so():
    with pytest.raises(errors.ClusterError, match="cluster here"):
        connect(ClusterSettings("here", in_cluster=True))


def test_a_token_file_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text("first\n")
    with scripted(answer({})) as server:
        asked = connect(ClusterSettings("a", url=server.url, token_file=str(path))).transport
        asked.call("GET", "/")
        path.write_text("second\n")
        asked.call("GET", "/")
        monkeypatch.setattr(connections, "TOKEN_SECONDS", 0.0)
        asked.call("GET", "/")
        path.unlink()
        with pytest.raises(errors.Unauthorized, match="cannot be read"):
            asked.call("GET", "/")
    assert [request.header("Authorization") for request in server.requests] == [
        ["Bearer first"],
        ["Bearer first"],
        ["Bearer second"],
    ]


def test_settings_do_not_show_their_token():
    assert "hunter2" not in repr(ClusterSettings("a", url="http://a", token="hunter2"))


def test_an_exec_plugin_of_a_kubeconfig_gives_the_token(tmp_path: Path):
    plugin = tmp_path / "plugin"
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "from-the-plugin"},
    }
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(credential)}'\n")
    plugin.chmod(0o700)
    with scripted(answer({})) as server:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": server.url}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [
                {
                    "name": "u",
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1",
                            "command": str(plugin),
                            "interactiveMode": "Never",
                        }
                    },
                }
            ],
        }
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(config))
        connect(ClusterSettings("a", kubeconfig=str(path))).transport.call("GET", "/")
    assert server.requests[0].header("Authorization") == ["Bearer from-the-plugin"]


def test_a_kubeconfig_over_tls_reaches_the_sandbox_and_a_strange_certificate_is_refused(tmp_path):
    with sandbox() as box:
        path = box.kubeconfig(tmp_path / "config")
        assert connect(ClusterSettings("a", kubeconfig=str(path))).transport.call("GET", "/version")["gitVersion"]
        stranger = connect(ClusterSettings("a", url=box.tls_url, token=box.token)).transport
        with pytest.raises(errors.Unreachable, match="certificate"):
            stranger.call("PUT", "/version", body={})
