"""The pods' network: a bridge, and for each pod a network namespace with an address of its own.

Pods need addresses that are not loopback (the API refuses those as endpoints). 198.18.0.0/16 is the range for testing
of network devices (RFC 2544): no real network uses it, and there is no route out of a pod's namespace anyway.

A namespace has no name: it lives as long as its first process, which ends with this one. The bridge and the cables
carry this process's id in their names and its start in their alias: a guard removes them when this process dies, and
the next start removes what a dead process left in spite of that, also when its id is another process's by then.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.waiting import eventually

PREFIX = "kn"  # with a process id and a number no longer than the 15 signs of a name
ADDRESS = "198.18.0.1"
_NETWORK = "198.18.{}.{}"
_BITS = 16
_FIRST, _LAST = 2, 60_000
# Virtual addresses of services lie on the bridge too: nobody answers there, and no packet goes anywhere else.
SERVICE_RANGE = "198.18.240.0/20"
# Waits to be ended, by this process or with it, and removes the links whose names begin with its own.
_GUARD = r"""
clear() {
  for link in $(ip -o link | sed -En "s/^[0-9]+: ($0(-[0-9]+)?)[@:].*/\1/p"); do ip link del "$link"; done
  exit
}
trap clear TERM
setpriv --pdeathsig KILL sleep infinity & wait
"""
_TOOLS = ("ip", "unshare", "nsenter", "setpriv")

# Starts a program and returns its process; what starts this way ends with the thread that the starter uses.
Starter = Callable[[list[str]], "subprocess.Popen[bytes]"]


class NotPossible(RuntimeError):
    """This machine gives no network namespaces; the message says what is missing."""


class PodNetwork:
    """One pod's namespace: its address, and how a command is run inside."""

    def __init__(self, address: str, first: subprocess.Popen[bytes], cable: str) -> None:
        self.address = address
        self._first = first
        self._cable = cable

    def inside(self, command: list[str]) -> list[str]:
        """Return the command that runs `command` in the namespace, ending with the process that starts it."""
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net=/proc/{self._first.pid}/ns/net", *command]

    def remove(self) -> None:
        """Take the cable away and end the namespace's first process.

        Connections that were open keep a namespace without processes for a while; the cable would stay with it.
        """
        try:
            _ip("link", "del", self._cable)
        finally:
            self._first.kill()
            self._first.wait()


class Bridge:
    """The node's end of the pods' network. Raises NotPossible where the machine does not allow it."""

    def __init__(self, start: Starter) -> None:
        self._start = start
        self._name = f"{PREFIX}{os.getpid()}"
        self._numbers = itertools.count()
        check()
        remove_leftovers()
        _ip("link", "add", self._name, "type", "bridge")
        _claim(self._name)
        _ip("addr", "add", f"{ADDRESS}/{_BITS}", "dev", self._name)
        _ip("link", "set", self._name, "up")
        self._guard = start(["setpriv", "--pdeathsig", "TERM", "sh", "-c", _GUARD, self._name])

    def join(self) -> PodNetwork:
        """Make a namespace with the next address and connect it."""
        number = _FIRST + next(self._numbers) % (_LAST - _FIRST)
        address, cable = _NETWORK.format(number // 256, number % 256), f"{self._name}-{number}"
        first = self._start(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
        try:
            eventually(lambda: _is_apart(first.pid), message="no network namespace was made")
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(first.pid))
            _claim(cable)
            _ip("link", "set", cable, "master", self._name, "up")
            steps = f"link set lo up\nlink set eth0 up\naddr add {address}/{_BITS} dev eth0\n"
            inside = ["nsenter", f"--net=/proc/{first.pid}/ns/net", "ip", "-batch", "-"]
            _run(inside, steps)
        except BaseException:
            first.kill()
            first.wait()
            raise
        return PodNetwork(address, first, cable)

    def remove(self) -> None:
        """Have the guard remove the bridge and every cable."""
        self._guard.terminate()
        self._guard.wait()


def check() -> None:
    """Raise NotPossible, saying why, unless network namespaces and a bridge can be made here."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise NotPossible(f"{', '.join(missing)} is missing: install iproute2 and util-linux.")
    tried = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, text=True)
    if tried.returncode != 0:
        raise NotPossible(f"network namespaces need root (CAP_SYS_ADMIN, CAP_NET_ADMIN): {tried.stderr.strip()}")
    name = f"{PREFIX}{os.getpid()}"
    _ip("link", "add", name, "type", "bridge")
    _ip("link", "del", name)


def remove_leftovers() -> None:
    """Remove the bridges and cables whose process is gone."""
    for link in json.loads(_ip("-json", "link", "show")):
        owner = re.fullmatch(rf"{PREFIX}(\d+)(-\d+)?", link["ifname"])
        if owner and not _has_owner(owner[1], link.get("ifalias")):
            _ip("link", "del", owner[0])


def _has_owner(pid: str, alias: str | None) -> bool:
    """Whether the process lives that made the link; one without an alias was made only now."""
    start = _start_of(pid)
    return start is not None and alias in (None, start)


def _claim(link: str) -> None:
    _ip("link", "set", link, "alias", str(_start_of("self")))


def _start_of(pid: str) -> str | None:
    """When the process began, in the kernel's ticks since its own start; None when there is no such process."""
    try:
        status = Path("/proc", pid, "stat").read_text()
    except OSError:
        return None
    return status.rpartition(")")[2].split()[19]  # field 22; the name in brackets may hold anything


def _is_apart(pid: int) -> bool:
    """Whether the process has left this one's network namespace (and is `sleep` by now)."""
    return os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")


def _ip(*arguments: str) -> str:
    return _run(["ip", *arguments])


def _run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotPossible(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
