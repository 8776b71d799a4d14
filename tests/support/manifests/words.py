"""Commands, arguments and probes whose words hold what a text field loses."""

from __future__ import annotations

from tests.support.manifests.build import GO, Object, service

_TIMING = {
    "initialDelaySeconds": 1,
    "periodSeconds": 12,
    "timeoutSeconds": 3,
    "failureThreshold": 4,
    "successThreshold": 1,
}


def _args(name: str, *args: str) -> Object:
    return service(name, container={"args": list(args)})


def _probe(name: str, probe: Object, which: str = "livenessProbe") -> Object:
    return service(name, container={which: probe})


def _exec(name: str, *words: str) -> Object:
    return _probe(name, {"exec": {"command": list(words)}})


MANIFESTS = (
    service(
        "args-script",
        container={"command": ["/bin/sh", "-c"], "args": ["set -e\n./migrate\nexec ./server\n"]},
    ),
    _args("args-blank", "--prefix", "", "--separator", " ", "--verbose"),
    _args("args-only-blank", ""),
    _args("args-line-separators", "one\u2028two", "three\u2029four", "five\x85six"),
    _args("args-control", "a\vb", "c\fd", "e\x1cf", "g\tg", "\x7f"),
    _args("args-carriage", "a\rb", "c\r\nd", "e\r"),
    _args("args-edges", " leading", "trailing ", "\ttabs\t", "\u00a0hard blanks\u00a0"),
    _args("args-quotes", "it's", '"quoted"', "back\\slash", "$HOME", "# no comment", "a=b"),
    _args("args-many", *(f"--flag-{number}" for number in range(300))),
    _args("args-long", "x" * 20000),
    _args("args-html", "<script>alert(1)</script>", "&amp;", "</textarea>", "\n<b>"),
    _args("args-numbers", "81111e1", "1e3", "0o17", "12:30", "yes", "null", "~", "2026-11-01"),
    service("command-lines", container={"command": ["/bin/sh\n", "-c", "echo 'a\nb'"]}),
    _exec("exec-lines", "sh", "-c", 'set -e\ntest -f /tmp/ok\necho "ok"'),
    _exec("exec-odd", "test", "", " ", "a,b", "it's", "\ttab", "\u2028"),
    _exec("exec-like-timing", "check", "period=5", "delay=2"),
    _probe(
        "probe-headers",
        {"httpGet": {"path": "/", "port": 8080, "httpHeaders": [{"name": "Host", "value": "x"}]}},
        "readinessProbe",
    ),
    _probe("probe-host", {"httpGet": {"path": "/h?a=b c", "host": "127.0.0.1", "port": 8080}, "periodSeconds": 5}),
    _probe("probe-https", {"httpGet": {"path": "/ready", "port": 0, "scheme": "HTTPS"}, **_TIMING}, "readinessProbe"),
    _probe("probe-http-no-path", {"httpGet": {"port": 8080}, "failureThreshold": 2}),
    service(
        "probe-named-port",
        container={
            "ports": [{"name": "http1", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/", "port": "http1"}},
        },
    ),
    _probe("probe-tcp-host", {"tcpSocket": {"port": 8080, "host": "localhost"}}, "startupProbe"),
    _probe("probe-tcp", {"tcpSocket": {"port": 9000}, **_TIMING}),
    _probe("probe-grpc", {"grpc": {"port": 8080, "service": ""}}, "readinessProbe"),
    _probe("probe-grpc-service", {"grpc": {"port": 8080, "service": "shop.v1.Health"}, "timeoutSeconds": 2}),
    _probe("probe-grace", {"httpGet": {"path": "/", "port": 0}, "terminationGracePeriodSeconds": 20}),
    _probe("probe-zero-success", {"tcpSocket": {"port": 0}, "successThreshold": 3}, "readinessProbe"),
    service(
        "probes-on-sidecar",
        containers=[
            {"name": "app", "image": GO, "ports": [{"containerPort": 8080}]},
            {
                "name": "helper",
                "image": GO,
                "readinessProbe": {"tcpSocket": {"port": 9000}},
                "livenessProbe": {"exec": {"command": ["sh", "-c", "a\nb"]}},
            },
        ],
    ),
)
