"""Programs are started in an order that works, leave nothing behind, and say why when they do not start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.console_process import free_port
from tests.real_cluster import machine
from tests.real_cluster.control_plane import once_more
from tests.real_cluster.kubelet.network import NotPossible
from tests.real_cluster.supervisor import MAX_RESTARTS, Supervisor
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
# As Knative's autoscaler: slow to listen, and when it cannot it stays, saying nothing.
SLOW = """
import socket, sys, time
time.sleep(0.5)
with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(("127.0.0.1", int(sys.argv[1])))
        server.listen()
    except OSError:
        pass
    time.sleep(3600)
"""
# As Knative's controller: takes the port where it is free, and tells.
QUICK = """
import socket, sys, time
with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(("127.0.0.1", int(sys.argv[1])))
        server.listen()
        print("mine", flush=True)
    except OSError:
        print("taken", flush=True)
    time.sleep(3600)
"""
STARTS_ONE = """
import sys, time
from pathlib import Path
from tests.real_cluster.supervisor import Supervisor
supervisor = Supervisor(Path(sys.argv[1]))
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('started', flush=True); time.sleep(3600)"
supervisor.start("stubborn", [sys.executable, "-c", stubborn])
print(supervisor.processes["stubborn"].pid, flush=True)
time.sleep(3600)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    made.stop_all()


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def test_who_needs_a_port_gets_it_before_who_can_do_without_also_after_both_ended(supervisor: Supervisor) -> None:
    port = free_port()

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    supervisor.start("slow", [sys.executable, "-c", SLOW, str(port)])
    supervisor.start("quick", [sys.executable, "-c", QUICK, str(port)], after=answers)
    told = supervisor.folder / "logs" / "quick.log"
    eventually(lambda: told.read_text() == "taken\n", timeout=60)
    supervisor.keep_running()
    for process in supervisor.processes.values():
        process.kill()
    eventually(lambda: len(told.read_text().splitlines()) == 2, timeout=60)
    assert told.read_text() == "taken\ntaken\n"
    assert supervisor.restarts == ["slow", "quick"]


def test_a_program_that_ignores_its_end_dies_with_who_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS_ONE, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        pid = int(killed.stdout.readline())
        eventually(lambda: (tmp_path / "logs" / "stubborn.log").read_text() == "started\n", timeout=60)
        killed.kill()
    eventually(lambda: is_gone(pid), timeout=60)


def test_the_next_start_ends_programs_and_removes_folders_of_a_killed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = Path(tempfile.mkdtemp(prefix=machine.FOLDERS))
    (folder / "etcd").mkdir()
    (tmp_path / "control-plane.lock").touch()
    with ExitStack() as ending:
        left, another = (
            ending.enter_context(subprocess.Popen(["sleep", "600"], env={"PATH": "/usr/bin:/bin", "HOME": home}))
            for home in (str(folder), f"{folder}-of-another")
        )
        ending.callback(another.kill)
        ending.callback(left.kill)
        machine.remove_leftovers()
        assert left.wait(60) < 0
        assert another.poll() is None
    assert [one.name for one in tmp_path.iterdir()] == ["control-plane.lock"]


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_is_taken_when_one_address_of_it_is(family: int, address: str) -> None:
    port = free_port()
    assert machine.is_free(port)
    with closing(socket.socket(family)) as server:
        server.bind((address, port))
        server.listen()
        assert not machine.is_free(port)
        assert f"pid={os.getpid()}," in machine.who_listens(port)


def test_a_start_that_fails_once_is_ended_and_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    ended: list[int] = []
    tries = iter([1, 2])

    def start(ending: ExitStack) -> int:
        number = next(tries)
        ending.callback(ended.append, number)
        assert number == 2, "the first one ends"
        return number

    with ExitStack() as ending:
        assert once_more(start, ending) == 2
        assert ended == [1]
    assert ended == [1, 2]
    assert "THE FIRST START FAILED" in capsys.readouterr().out


def test_a_start_that_fails_twice_fails_and_leaves_nothing() -> None:
    ended: list[str] = []

    def start(ending: ExitStack) -> None:
        ending.callback(ended.append, "parts")
        raise RuntimeError("no")

    with ExitStack() as ending, pytest.raises(RuntimeError, match="no"):
        once_more(start, ending)
    assert ended == ["parts", "parts"]


def test_what_a_machine_cannot_do_is_not_tried_twice() -> None:
    tried: list[int] = []

    def start(ending: ExitStack) -> None:
        tried.append(1)
        raise NotPossible("no root")

    with ExitStack() as ending, pytest.raises(NotPossible):
        once_more(start, ending)
    assert tried == [1]


def test_the_report_tells_how_a_program_ended_what_it_said_and_who_listens(supervisor: Supervisor) -> None:
    supervisor.start("talker", ["sh", "-c", "seq 60; exit 3"])
    supervisor.processes["talker"].wait()
    lines = supervisor.full_report().splitlines()
    assert lines[0] == "talker ended with 3; started again: []"
    assert lines[1:52] == ["--- talker said last:", *map(str, range(11, 61))]
    assert {"--- ss -ltnp", "--- ip netns list", "--- lsns -t net"} <= set(lines)


def test_programs_that_end_again_and_again_are_not_waited_for(supervisor: Supervisor) -> None:
    supervisor.start("restless", ["sh", "-c", "exit 4"])
    supervisor.restarts += ["earlier"] * MAX_RESTARTS
    supervisor.keep_running()
    with pytest.raises(RuntimeError, match="it is not healthy: programs end again and again: restless"):
        supervisor.wait_for(lambda: False, "it is not healthy")
    assert supervisor.restarts.count("restless") > MAX_RESTARTS
