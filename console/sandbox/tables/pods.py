"""The cells of a Pod, as Kubernetes' printers compute them (pkg/printers/internalversion, printPod)."""

from __future__ import annotations

from typing import Any

from console.sandbox.tables.ages import age

Object = dict[str, Any]
NONE = "<none>"


def ready(pod: Object) -> str:
    """How many of its containers are ready."""
    count = sum(1 for each in _statuses(pod) if each.get("ready") and "running" in (each.get("state") or {}))
    return f"{count}/{len(pod['spec']['containers'])}"


def status(pod: Object) -> str:
    """One word for what is the matter: the phase, or the reason of the first container that has one."""
    facts = pod.get("status") or {}
    phase = facts.get("phase", "")
    reason, error = facts.get("reason") or phase, ""
    for each in reversed(_statuses(pod)):
        state = each.get("state") or {}
        waits, ended = state.get("waiting") or {}, state.get("terminated")
        if waits.get("reason"):
            reason = waits["reason"]
        elif ended is not None:
            reason = _ended(ended)
            error = reason if ended.get("exitCode") else error
    if reason == "Completed":
        reason = _after_completion(pod, error)
    is_over = phase in ("Succeeded", "Failed")
    return "Terminating" if "deletionTimestamp" in pod["metadata"] and not is_over else reason


def restarts(pod: Object) -> str:
    """How often its containers were restarted, and when that was last."""
    count = sum(each.get("restartCount", 0) for each in _statuses(pod))
    ends = [(each.get("lastState") or {}).get("terminated", {}).get("finishedAt") for each in _statuses(pod)]
    last = max(filter(None, ends), default=None)
    return f"{count} ({age(last)} ago)" if count and last else str(count)


def address(pod: Object) -> str:
    """Its first IP address."""
    addresses = (pod.get("status") or {}).get("podIPs") or [{}]
    return addresses[0].get("ip") or NONE


def node(pod: Object) -> str:
    """The node that it runs on."""
    return pod["spec"].get("nodeName") or NONE


def nominated_node(pod: Object) -> str:
    """The node that preemption chose for it."""
    return (pod.get("status") or {}).get("nominatedNodeName") or NONE


def readiness_gates(pod: Object) -> str:
    """How many of its readiness gates are open."""
    gates = [each.get("conditionType") for each in pod["spec"].get("readinessGates") or ()]
    is_open = {each["type"] for each in _conditions(pod) if each.get("status") == "True"}
    return f"{len(is_open.intersection(gates))}/{len(gates)}" if gates else NONE


def _statuses(pod: Object) -> list[Object]:
    return (pod.get("status") or {}).get("containerStatuses") or []


def _conditions(pod: Object) -> list[Object]:
    return (pod.get("status") or {}).get("conditions") or []


def _ended(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    return f"Signal:{terminated['signal']}" if terminated.get("signal") else f"ExitCode:{terminated.get('exitCode', 0)}"


def _after_completion(pod: Object, error: str) -> str:
    """Some container completed: what the others say counts more."""
    runs = any(each.get("ready") and "running" in (each.get("state") or {}) for each in _statuses(pod))
    if runs and any(each["type"] == "Ready" and each.get("status") == "True" for each in _conditions(pod)):
        return "Running"
    return error or ("NotReady" if runs else "Completed")
