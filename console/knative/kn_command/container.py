"""The first container as kn's flags: field by field, what differs. kn edits that one, whichever takes the requests."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from console.knative.kn_command.entries import pair_flags
from console.knative.kn_command.limits import KnLimit, NotInKn, refuse
from console.knative.kn_command.probe import probe_flags
from console.knative.kn_command.shell import quoted
from console.knative.kn_command.variables import env_flags, env_from_flags

Raw = Mapping[str, Any]
_ELSEWHERE = ("image", "volumeMounts")  # written together with the annotation, and with the volumes


def container_flags(before: Raw, after: Raw) -> Iterable[str]:
    """Yield the flags for every field that differs; raises NotInKn for one that kn has no flag for."""
    for field in {**before, **after}:
        old, new = before.get(field), after.get(field)
        if field in _ELSEWHERE or (old or None) == (new or None):
            continue
        refuse(KnLimit.NO_FLAG, when=field not in _FIELDS)
        yield from _FIELDS[field](old, new)


def _words(flag: str) -> Callable[[Any, Any], Iterable[str]]:
    def flags(_old: Sequence[str] | None, new: Sequence[str] | None) -> Iterable[str]:
        refuse(KnLimit.NO_REMOVAL, when=not new)
        return (f"{flag} {quoted(str(word))}" for word in new or ())

    return flags


def _port(_old: Any, new: Sequence[Raw] | None) -> Iterable[str]:
    """kn writes one entry of a number and a name."""
    refuse(KnLimit.NO_REMOVAL, when=not new)
    port, *others = new or ()
    refuse(KnLimit.NO_FLAG, when=others or set(port) - {"containerPort", "name"})
    name = f"{port['name']}:" if port.get("name") else ""
    yield f"--port {quoted(name + str(port['containerPort']))}"


def _resources(old: Raw | None, new: Raw | None) -> Iterable[str]:
    before, after = ({key: value for key, value in (one or {}).items() if value} for one in (old, new))
    for field in {**before, **after}:
        if before.get(field) != after.get(field):
            flag = {"requests": "--request", "limits": "--limit"}.get(field, "")
            refuse(KnLimit.NO_FLAG, when=not flag)
            yield from pair_flags(flag, before.get(field) or {}, after.get(field) or {})


def _pull_policy(_old: Any, new: str | None) -> Iterable[str]:
    refuse(KnLimit.NO_REMOVAL, when=not new)
    yield f"--pull-policy {new}"


def _security(old: Raw | None, new: Raw | None) -> Iterable[str]:
    before, after = dict(old or {}), dict(new or {})
    user, wanted = before.pop("runAsUser", None), after.pop("runAsUser", None)
    refuse(KnLimit.NO_FLAG, when=before != after)
    refuse(KnLimit.NO_REMOVAL, when=user is not None and wanted is None)
    if user != wanted:
        yield f"--user {wanted}"


def _no_startup_probe(_old: Any, _new: Any) -> Iterable[str]:
    raise NotInKn(KnLimit.PROBE)


_FIELDS: Mapping[str, Callable[[Any, Any], Iterable[str]]] = {
    "env": lambda old, new: env_flags(old or (), new or ()),
    "envFrom": lambda old, new: env_from_flags(old or (), new or ()),
    "command": _words("--cmd"),
    "args": _words("--arg"),
    "ports": _port,
    "resources": _resources,
    "readinessProbe": lambda old, new: probe_flags("--probe-readiness", old or {}, new or {}),
    "livenessProbe": lambda old, new: probe_flags("--probe-liveness", old or {}, new or {}),
    "startupProbe": _no_startup_probe,
    "imagePullPolicy": _pull_policy,
    "securityContext": _security,
}
