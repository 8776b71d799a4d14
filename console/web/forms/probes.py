"""A probe as one line: what is asked, then how often. What a line cannot say is left alone."""

import shlex
from collections.abc import Mapping
from typing import Any

TIMING = {
    "delay": "initialDelaySeconds",
    "period": "periodSeconds",
    "timeout": "timeoutSeconds",
    "failures": "failureThreshold",
    "successes": "successThreshold",
    "grace": "terminationGracePeriodSeconds",
}
_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_WRITTEN_BY_DEFAULT = {"successThreshold": 1}  # by Knative's webhook


def read(text: str) -> dict[str, Any] | None:
    """Return the probe that the line means, None for an empty one; raises ValueError.

    `http /path [port]`, `https /path [port]`, `tcp [port]`, `grpc port [service]` or `exec command ...`, then any of
    `delay=5 period=10 timeout=1 failures=3 successes=1`. Without a port Knative asks the service's own.
    """
    parts = shlex.split(text)
    timing: dict[str, int] = {}
    while parts and parts[-1].partition("=")[0] in TIMING and "=" in parts[-1]:
        word, _equals, number = parts.pop().partition("=")
        if not number.isdecimal() or len(number) > 5 or TIMING[word] in timing:
            raise ValueError(word)
        timing[TIMING[word]] = int(number)
    if not parts:
        if timing:
            raise ValueError(text)
        return None
    return {**_handler(parts[0], parts[1:]), **timing}


def _handler(kind: str, rest: list[str]) -> dict[str, Any]:
    if kind == "exec" and rest:
        return {"exec": {"command": rest}}
    if kind in ("http", "https") and len(rest) <= 2:
        port = _port(rest.pop()) if rest and rest[-1].isdecimal() else 0
        path = rest.pop() if rest else "/"
        if not rest and path.startswith("/"):
            return {"httpGet": {"path": path, "port": port, **({"scheme": "HTTPS"} if kind == "https" else {})}}
    if kind == "tcp" and len(rest) <= 1:
        return {"tcpSocket": {"port": _port(rest[0]) if rest else 0}}
    if kind == "grpc" and 1 <= len(rest) <= 2:
        return {"grpc": {"port": _port(rest[0]), **({"service": rest[1]} if len(rest) == 2 else {})}}
    raise ValueError(kind)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(text)
    return int(text)


def line(found: Mapping[str, Any] | None) -> str | None:
    """Return the line of a probe, or None for one that a line cannot say (headers, a host, several handlers)."""
    if not found:
        return ""
    words: list[str] = []
    if http := found.get("httpGet"):
        kind = "https" if http.get("scheme") == "HTTPS" else "http"
        words = [kind, str(http.get("path") or "/"), *([str(http["port"])] if http.get("port") else [])]
    elif "tcpSocket" in found:
        port = (found["tcpSocket"] or {}).get("port")
        words = ["tcp", *([str(port)] if port else [])]
    elif command := (found.get("exec") or {}).get("command"):
        words = ["exec", *map(str, command)]
    elif grpc := found.get("grpc"):
        words = ["grpc", str(grpc.get("port", "")), *([str(grpc["service"])] if grpc.get("service") else [])]
    words += [f"{word}={found[key]}" for word, key in TIMING.items() if key in found and not _is_default(key, found)]
    text = shlex.join(words)
    try:
        return text if _plain(read(text)) == _plain(found) else None
    except ValueError:
        return None


def edited(
    present: Mapping[str, Any] | None, shown: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return the present probe with what differs between the probe that was shown and the one that is wanted.

    What neither speaks of stays: defaults that the webhook wrote, later fields, what somebody else changed meanwhile.
    """
    if wanted is None:
        return None
    result, before = dict(present or {}), dict(shown or {})
    handler = next(key for key in _HANDLERS if key in wanted)
    if handler in before and handler in result:
        result[handler] = _merged(result[handler] or {}, before[handler], wanted[handler])
    elif handler not in before:
        result = {key: value for key, value in result.items() if key not in _HANDLERS} | {handler: wanted[handler]}
    timing = set(TIMING.values())
    return _merged(result, _only(before, timing), _only(wanted, timing))


def _merged(present: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is present with what differs between the two."""
    gone = {key for key in before if key not in after}
    set_ = {key: value for key, value in after.items() if before.get(key) != value}
    return {key: value for key, value in present.items() if key not in gone} | set_


def _only(found: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key in keys}


def _is_default(key: str, found: Mapping[str, Any]) -> bool:
    return key in _WRITTEN_BY_DEFAULT and found[key] == _WRITTEN_BY_DEFAULT[key]


def _plain(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """The probe with what is the same written the same."""
    plain = {key: value for key, value in (found or {}).items() if not (key in _WRITTEN_BY_DEFAULT and value == 1)}
    if http := plain.get("httpGet"):
        plain["httpGet"] = {"path": "/", "port": 0, "scheme": "HTTP", **{k: v for k, v in http.items() if v != ""}}
    if "tcpSocket" in plain:
        plain["tcpSocket"] = {"port": 0, **(plain["tcpSocket"] or {})}
    if grpc := plain.get("grpc"):
        plain["grpc"] = {"service": "", **grpc}
    return plain
