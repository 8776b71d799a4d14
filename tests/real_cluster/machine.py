"""What this machine has that a control plane meets: ports that are taken, networks, what a killed run left."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

FOLDERS = "control-plane-"  # begins the name of each control plane's folder
_LOOKS = ("ss -ltnp", "ip -brief address", "ip netns list", "lsns -t net")


def report() -> str:
    """Return who listens where, and which links and namespaces there are."""
    return "\n".join(f"--- {command}\n{_output_of(command)}" for command in _LOOKS)


def _output_of(command: str) -> str:
    if shutil.which(command.split(maxsplit=1)[0]) is None:
        return "is not installed"
    return subprocess.run(command.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def is_free(port: int) -> bool:
    """Whether a server could listen on the port at every address, IPv6 included where there is that."""
    both = socket.has_dualstack_ipv6()
    with socket.socket(socket.AF_INET6 if both else socket.AF_INET) as probe:
        if both:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def who_listens(port: int) -> str:
    """Return the lines of `ss` about the port: the programs that listen there, where this user may know them."""
    lines = _output_of("ss -ltnp").splitlines()
    return "\n".join(line for line in lines if f":{port} " in line)


def remove_leftovers() -> None:
    """End the programs of control planes that were killed, and remove their folders.

    Only for who holds the lock of control_plane.py: whatever is there then was left.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*/"):
        for pid in _at_home_in(folder):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _at_home_in(folder: Path) -> list[int]:
    """The processes whose HOME is the folder: the supervisor starts every program so."""
    home = f"HOME={folder}".encode()
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if home in _environment(one)]


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or another user's
        return []
