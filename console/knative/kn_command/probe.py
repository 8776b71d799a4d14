"""A probe as kn's flags."""

from collections.abc import Iterable, Mapping
from typing import Any

from console.knative.kn_command.limits import KnLimit, refuse
from console.knative.kn_command.shell import quoted

_TIMING = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold")
_HANDLERS = ("httpGet", "exec", "tcpSocket", "grpc")


def probe_flags(flag: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    """Yield the flags that make the one probe of the other; raises NotInKn.

    kn replaces the handler and leaves what else is there, so a timing that goes away is set to 0, which is absent.
    """
    refuse(KnLimit.NO_REMOVAL, when=not after)
    refuse(KnLimit.PROBE, when=_others(before) != _others(after))
    yield f"{flag} {quoted(_handler(after))}"
    if options := [f"{name}={after.get(name, 0)}" for name in _TIMING if name in after or name in before]:
        yield f"{flag}-opts {','.join(options)}"


def _others(probe: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in probe.items() if key not in (*_HANDLERS, *_TIMING)}


def _handler(probe: Mapping[str, Any]) -> str:
    """Return the handler as kn's flag takes it, `http::8080:/ready`. kn takes the text apart at each colon."""
    kinds = [key for key in _HANDLERS if key in probe]
    kind = kinds[0] if len(kinds) == 1 else ""
    handler = probe.get(kind) or {}
    refuse(KnLimit.PROBE, when=kind not in _FIELDS or set(handler) - _FIELDS[kind])
    parts = _exec(handler) if kind == "exec" else _request(kind, handler)
    refuse(KnLimit.PROBE, when=any(":" in part for part in parts))
    return ":".join(parts)


_FIELDS = {
    "httpGet": {"scheme", "host", "port", "path"},
    "tcpSocket": {"host", "port"},
    "exec": {"command"},
}


def _exec(handler: Mapping[str, Any]) -> list[str]:
    words = [str(word) for word in handler.get("command") or ()]
    refuse(KnLimit.PROBE, when=not any(words) or any("," in word for word in words))
    return ["exec", ",".join(words)]


def _request(kind: str, handler: Mapping[str, Any]) -> list[str]:
    """A port that is a number written as a text would come out as a number."""
    port = handler.get("port") or 0
    refuse(KnLimit.PROBE, when=isinstance(port, str) and port.lstrip("-").isdecimal())
    if kind == "tcpSocket":
        return ["tcp", str(handler.get("host") or ""), str(port)]
    scheme = {"": "http", "HTTPS": "https"}.get(handler.get("scheme") or "")
    refuse(KnLimit.PROBE, when=scheme is None)
    return [str(scheme), str(handler.get("host") or ""), str(port), str(handler.get("path") or "")]
