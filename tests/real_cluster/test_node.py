"""The pods' network is taken away with whoever made it, however that ends; and a machine that gives none says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
MAKES_TWO_PODS = """
import subprocess, time
from tests.real_cluster.kubelet.network import Bridge
bridge = Bridge(lambda command: subprocess.Popen(command, stderr=subprocess.DEVNULL))
pods = [bridge.join(), bridge.join()]
for pod in pods:
    subprocess.Popen(pod.inside(["sleep", "4242"]))
print(*[pod.address for pod in pods], flush=True)
time.sleep(3600)
"""
CHECKS = "from tests.real_cluster.kubelet.network import check; check()"


@pytest.fixture
def machine() -> Iterator[list[str]]:
    """What runs a command on a machine of its own, as far as the network goes: another control plane may be running."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
    here = Path("/proc/self/ns/net").readlink()
    eventually(lambda: Path(f"/proc/{holder.pid}/ns/net").readlink() != here)
    yield inside
    holder.kill()
    holder.wait()


def links(machine: list[str]) -> list[str]:
    listed = subprocess.run([*machine, "ip", "-json", "link"], capture_output=True, check=True)
    return [link["ifname"] for link in json.loads(listed.stdout) if link["ifname"].startswith("kn")]


def is_running(command: str) -> bool:
    return subprocess.run(["pgrep", "-f", f"^{command}$"], capture_output=True).returncode == 0


def test_nothing_outlives_a_process_that_is_killed(machine: list[str]) -> None:
    command = [*machine, sys.executable, "-c", MAKES_TWO_PODS]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().split() == ["198.18.0.2", "198.18.0.3"]
        assert sorted(links(machine)) == [f"kn{process.pid}", f"kn{process.pid}-2", f"kn{process.pid}-3"]
        assert is_running("sleep 4242")
        process.send_signal(signal.SIGKILL)
    eventually(lambda: not links(machine), message=lambda: f"left: {links(machine)}")
    eventually(lambda: not is_running("sleep 4242"))


def test_the_next_start_removes_what_a_dead_process_left(machine: list[str]) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    name = f"kn{ended.pid}"
    subprocess.run([*machine, "ip", "link", "add", name, "type", "bridge"], check=True)
    removes = "from tests.real_cluster.kubelet.network import remove_leftovers; remove_leftovers()"
    subprocess.run([*machine, sys.executable, "-c", removes], cwd=ROOT, check=True)
    assert links(machine) == []


def test_the_next_start_removes_what_a_process_left_whose_id_is_taken_again(machine: list[str]) -> None:
    mine, another = f"kn{os.getpid()}", f"kn{os.getpid()}-2"
    for name in (mine, another):
        subprocess.run([*machine, "ip", "link", "add", name, "type", "bridge"], check=True)
    subprocess.run([*machine, "ip", "link", "set", another, "alias", "1"], check=True)
    removes = "from tests.real_cluster.kubelet.network import remove_leftovers; remove_leftovers()"
    subprocess.run([*machine, sys.executable, "-c", removes], cwd=ROOT, check=True)
    assert links(machine) == [mine]


def test_a_machine_without_network_namespaces_is_told_what_is_missing() -> None:
    without_rights = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", sys.executable, "-c", CHECKS]
    tried = subprocess.run(without_rights, cwd=ROOT, capture_output=True, text=True)
    assert tried.returncode != 0
    assert "NotPossible: network namespaces need root" in tried.stderr
