"""Variables and where they come from."""

from __future__ import annotations

from typing import Any

from tests.support.manifests.build import GO, Object, service

MASK = "••••"


def _env(name: str, *entries: Object, **more: Any) -> Object:
    return service(name, container={"env": list(entries), **more})


def _values(name: str, **values: str) -> Object:
    return _env(name, *({"name": key, "value": value} for key, value in values.items()))


def _key(name: str, kind: str, **reference: Any) -> Object:
    return {"name": name, "valueFrom": {f"{kind}KeyRef": {"name": "db", "key": "url", **reference}}}


MANIFESTS = (
    _env(
        "env-twice",
        {"name": "MODE", "value": "first"},
        {"name": "MODE", "value": "second"},
        {"name": "OTHER", "value": "x1234"},
    ),
    _env(
        "env-twice-mixed",
        _key("MODE", "secret"),
        {"name": "MODE", "value": "literal"},
        _key("MODE", "configMap"),
        {"name": "REST", "value": "y"},
    ),
    _values("env-lines", PEM="-----BEGIN-----\nabc\n-----END-----\n", CRLF="a\r\nb", CR="a\rb", LF="\n"),
    _values("env-separators", LS="a\u2028b", NEL="a\x85b", VT="a\vb", TAB="\ta\t", EDGES=" a "),
    _values("env-mask", PLAIN=MASK, INSIDE=f"{MASK}-suffix", SEALED="sealed:0123456789abcdef"),
    _values("env-numbers", SHA="81111e1", OCTAL="0o17", TIME="12:30", YES="yes", EMPTY="", NULL="null"),
    _values("env-html", SCRIPT="<script>", AMP="&amp;", QUOTE='"', CLOSE="</textarea>"),
    _env("env-odd-names", {"name": "1BAD NAME", "value": "x"}, {"name": "a.b-c", "value": "y"}),
    _env("env-no-value", {"name": "NONE"}, {"name": "EMPTY", "value": ""}, {"name": "SET", "value": "x"}),
    _env(
        "env-references",
        _key("DB", "secret", optional=True),
        _key("CM", "configMap"),
        _key("OPT", "configMap", optional=False),
    ),
    _env(
        "env-field-references",
        {"name": "POD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "PLAIN", "value": "x"},
    ),
    _env("env-expansions", {"name": "A", "value": "$(B)"}, {"name": "B", "value": "$$(A) ${C} `d`"}),
    _values("env-2000", **{f"VARIABLE_{number}": f"value-{number}" for number in range(2000)}),
    service(
        "env-from-prefix",
        container={
            "envFrom": [
                {"secretRef": {"name": "creds"}},
                {"prefix": "DB_", "secretRef": {"name": "creds"}},
                {"prefix": "CM_", "configMapRef": {"name": "flags"}},
            ]
        },
    ),
    service("env-from-only-prefix", container={"envFrom": [{"prefix": "DB_", "secretRef": {"name": "creds"}}]}),
    service(
        "env-from-optional",
        container={
            "envFrom": [
                {"secretRef": {"name": "creds", "optional": True}},
                {"configMapRef": {"name": "flags", "optional": False}},
                {"configMapRef": {"name": "flags"}},
            ]
        },
    ),
    service(
        "env-port-on-sidecar",
        containers=[
            {
                "name": "proxy",
                "image": "registry.example.com/tools/proxy:3",
                "env": [{"name": "PORT", "value": "9000"}, {"name": "UPSTREAM", "value": "http://localhost:8080"}],
            },
            {"name": "app", "image": GO, "ports": [{"containerPort": 8080}], "env": [{"name": "A", "value": "b"}]},
        ],
    ),
    service(
        "env-in-init",
        container={"name": "env", "env": [{"name": "env", "value": "containers"}]},
        pod={"initContainers": [{"name": "init", "image": GO, "env": [{"name": "env", "value": "s3cr3t-init"}]}]},
    ),
)
