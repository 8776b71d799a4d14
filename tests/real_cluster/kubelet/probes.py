"""A readiness probe over HTTP or TCP, asked as often as it says; and the request of a preStop hook."""

from __future__ import annotations

import socket
import time
from typing import Any

import urllib3

# A kubelet asks at each sync of a pod that is not ready, without waiting for the period.
UNREADY_SECONDS = 0.25


class Probe:
    """A container's readiness probe. `is_ready` asks when it is time to, else answers as before."""

    def __init__(self, spec: dict[str, Any], address: str) -> None:
        self._spec = spec
        self._address = address
        self._next = time.monotonic() + spec.get("initialDelaySeconds", 0)
        self._is_ready = False
        self._row = 0  # equal answers one after another

    def is_ready(self) -> bool:
        if time.monotonic() >= self._next:
            self._count(self._ask())
            self._next = time.monotonic() + (self._spec.get("periodSeconds", 10) if self._is_ready else UNREADY_SECONDS)
        return self._is_ready

    def _count(self, is_good: bool) -> None:
        """Change only after as many equal answers as the thresholds ask for."""
        self._row = self._row + 1 if is_good != self._is_ready else 0
        wanted = self._spec.get("successThreshold", 1) if is_good else self._spec.get("failureThreshold", 3)
        if self._row >= wanted:
            self._is_ready, self._row = is_good, 0

    def _ask(self) -> bool:
        seconds = self._spec.get("timeoutSeconds", 1)
        if action := self._spec.get("httpGet"):
            return 200 <= get(action, self._address, seconds) < 400
        if action := self._spec.get("tcpSocket"):
            try:
                with socket.create_connection((self._address, action["port"]), seconds):
                    return True
            except OSError:
                return False
        raise NotImplementedError(f"a probe that is neither HTTP nor TCP: {self._spec}")


def get(action: dict[str, Any], address: str, seconds: float) -> int:
    """Send the request of an httpGet action; return the HTTP status, 0 when there is no answer."""
    # Knative's programs know a kubelet by this name; another client's request would count as traffic.
    headers = {"User-Agent": "kube-probe/1.36"} | {one["name"]: one["value"] for one in action.get("httpHeaders") or []}
    url = f"http://{address}:{action['port']}{action.get('path') or '/'}"
    try:
        return urllib3.request("GET", url, headers=headers, timeout=seconds, retries=False).status
    except urllib3.exceptions.HTTPError:
        return 0
