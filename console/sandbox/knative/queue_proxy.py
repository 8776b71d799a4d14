"""The container that Knative adds to each pod: its ports, its probe, and the settings that are its variables."""

from __future__ import annotations

import json
from typing import Any

from console.sandbox.knative.objects import CONFIGURATION_LABEL, SERVICE_LABEL, Object, labels_of
from console.sandbox.knative.version import OLDEST, knative_version

NAME = "queue-proxy"
IMAGE = "gcr.io/knative-releases/knative.dev/serving/cmd/queue@sha256:" + "6f3d" * 16
HTTP_PORT, TLS_PORT, ADMIN_PORT = 8012, 8112, 8022
LOCALHOST = "127.0.0.1"
_PORTS = (
    (9090, "http-autometric"), (9091, "http-usermetric"), (HTTP_PORT, "queue-port"), (TLS_PORT, "https-port"),
)  # fmt: skip
_LOGGED = (
    ("requestMethod", '"{{.Request.Method}}"'),
    ("requestUrl", '"{{js .Request.RequestURI}}"'),
    ("requestSize", '"{{.Request.ContentLength}}"'),
    ("status", "{{.Response.Code}}"),
    ("responseSize", '"{{.Response.Size}}"'),
    ("userAgent", '"{{js .Request.UserAgent}}"'),
    ("remoteIp", '"{{js .Request.RemoteAddr}}"'),
    ("serverIp", '"{{.Revision.PodIP}}"'),
    ("referer", '"{{js .Request.Referer}}"'),
    ("latency", '"{{.Response.Latency}}s"'),
    ("protocol", '"{{.Request.Proto}}"'),
)
_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_OLDER_METRICS = {
    "SERVING_ENABLE_REQUEST_LOG": "false",
    "SERVING_REQUEST_METRICS_BACKEND": "prometheus",
    "SERVING_REQUEST_METRICS_REPORTING_PERIOD_SECONDS": "5",
    "TRACING_CONFIG_BACKEND": "none",
    "TRACING_CONFIG_ZIPKIN_ENDPOINT": "",
    "TRACING_CONFIG_DEBUG": "false",
    "TRACING_CONFIG_SAMPLE_RATE": "0.1",
}
_TLS_SETTINGS = ("MIN_VERSION", "MAX_VERSION", "CIPHER_SUITES", "CURVE_PREFERENCES")


def container(revision: Object, port: int, probe: Object | None) -> Object:
    """The container beside a Revision's own, whose program listens on `port` and is ready by `probe`."""
    is_older = knative_version() <= OLDEST
    ports = ((ADMIN_PORT, "http-queueadm"), *_PORTS) if is_older else _PORTS
    header = {"name": "K-Network-Probe", "value": "queue"}
    http_get = {"httpHeaders": [header], "path": "/", "port": HTTP_PORT, "scheme": "HTTP"}
    return {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "env": _variables(revision, port, probe, is_older=is_older),
        "ports": [{"containerPort": number, "name": name, "protocol": "TCP"} for number, name in ports],
        "readinessProbe": {
            "failureThreshold": 3, "httpGet": http_get, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1,
        },
        "resources": {"requests": {"cpu": "25m"}},
        "securityContext": _SECURITY,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }  # fmt: skip


def _variables(revision: Object, port: int, probe: Object | None, *, is_older: bool) -> list[Object]:
    """In Knative's own order, which `kubectl describe` keeps."""
    spec, labels = revision["spec"], labels_of(revision)
    settings: dict[str, str | Object] = {
        "SERVING_NAMESPACE": revision["metadata"]["namespace"],
        "SERVING_SERVICE": labels.get(SERVICE_LABEL, ""),
        "SERVING_CONFIGURATION": labels.get(CONFIGURATION_LABEL, ""),
        "SERVING_REVISION": revision["metadata"]["name"],
        "QUEUE_SERVING_PORT": str(HTTP_PORT),
        "QUEUE_SERVING_TLS_PORT": str(TLS_PORT),
        "CONTAINER_CONCURRENCY": str(spec.get("containerConcurrency", 0)),
        "REVISION_TIMEOUT_SECONDS": str(spec.get("timeoutSeconds", 0)),
        "REVISION_RESPONSE_START_TIMEOUT_SECONDS": str(spec.get("responseStartTimeoutSeconds", 0)),
        "REVISION_IDLE_TIMEOUT_SECONDS": str(spec.get("idleTimeoutSeconds", 0)),
        "SERVING_POD": _field("metadata.name"),
        "SERVING_POD_IP": _field("status.podIP"),
        "SERVING_LOGGING_CONFIG": "",
        "SERVING_LOGGING_LEVEL": "",
    }
    if is_older:
        settings |= {"SERVING_REQUEST_LOG_TEMPLATE": _log_template('{{index .Request.Header "X-B3-Traceid"}}')}
        settings |= _OLDER_METRICS
    settings |= {"USER_PORT": str(port), "SYSTEM_NAMESPACE": "knative-serving"}
    settings |= {"METRICS_DOMAIN": "knative.dev/internal/serving"} if is_older else {}
    settings |= {"SERVING_READINESS_PROBE": _compact(_asked_inside(probe, port))} if probe else {}
    if is_older:
        settings |= {"ENABLE_PROFILING": "false", "SERVING_ENABLE_PROBE_REQUEST_LOG": "false"}
        settings |= {"METRICS_COLLECTOR_ADDRESS": ""}
    settings |= {"HOST_IP": _field("status.hostIP"), "ENABLE_HTTP2_AUTO_DETECTION": "false"}
    settings |= {"ENABLE_HTTP_FULL_DUPLEX": "false", "ROOT_CA": ""}
    settings |= {} if is_older else {f"QUEUE_PROXY_TLS_{name}": "" for name in _TLS_SETTINGS}
    settings |= {"ENABLE_MULTI_CONTAINER_PROBES": "false"}
    settings |= {} if is_older else {"OBSERVABILITY_CONFIG": _compact(_observability())}
    return [_variable(name, value) for name, value in settings.items()]


def _variable(name: str, value: str | Object) -> Object:
    if isinstance(value, str):
        return {"name": name, "value": value} if value else {"name": name}
    return {"name": name, "valueFrom": value}


def _field(path: str) -> Object:
    return {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}


def _asked_inside(probe: Object, port: int) -> Object:
    """The probe as the proxy runs it: on the pod's own loopback, at the program's port unless another is named."""
    asked: dict[str, Any] = {}
    for handler in ("exec", "httpGet", "tcpSocket", "grpc"):
        if handler not in probe:
            continue
        fields = dict(probe[handler])
        if handler in ("httpGet", "tcpSocket"):
            path = {"path": fields.pop("path", "/")} if handler == "httpGet" else {}
            fields = {**path, "port": fields.pop("port", 0) or port, "host": LOCALHOST, **fields}
        fields |= {"scheme": fields.get("scheme", "HTTP")} if handler == "httpGet" else {}
        asked[handler] = fields
    return asked | {key: value for key, value in probe.items() if key not in asked}


def _observability() -> Object:
    off = {"protocol": "none"}
    runtime = {"profiling": "disabled", "exportInterval": 15_000_000_000}
    template = _log_template("{{.TraceID}}")
    return {"tracing": off, "metrics": off, "runtime": runtime, "requestMetrics": off, "requestLogTemplate": template}


def _log_template(trace: str) -> str:
    """The template of a line of the request log, as config-observability has it by default."""
    fields = ", ".join(f'"{name}": {value}' for name, value in _LOGGED)
    return f'{{"httpRequest": {{{fields}}}, "traceId": "{trace}"}}'


def _compact(value: Object) -> str:
    return json.dumps(value, separators=(",", ":"))
