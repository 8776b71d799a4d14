"""What is behind `make run`: what it refuses with clear words, and that it restarts and stops what it started."""

import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from console.run import __main__ as run
from console.run import supervisor
from console.run.state import end_leftovers, lock, prepare_state
from console.run.supervisor import CannotStart, Process
from console.serve import config_for
from tests.waiting import eventually

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare_state(tmp_path)
    return tmp_path / "logs"


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"Port {port}.*CONSOLE_PORT={port + 1}"):
            run.refuse_taken_port("127.0.0.1", port, "CONSOLE_PORT")


@pytest.mark.parametrize("word", ["1", "true", "on"])
def test_the_demo_never_listens_beyond_loopback(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("CONSOLE_DEMO", word)
    monkeypatch.setenv("CONSOLE_SECRET_KEY", secrets.token_urlsafe(48))
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(CannotStart, match="loopback only"):
            run.refuse_unsafe_address(host)
    run.refuse_unsafe_address("127.0.0.1")


@pytest.mark.parametrize("key", ["", "change-me", "x" * 64, "abc" * 30])
def test_a_key_that_can_be_guessed_never_listens_beyond_loopback(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.delenv("CONSOLE_DEMO", raising=False)
    monkeypatch.setenv("CONSOLE_SECRET_KEY", key)
    with pytest.raises(CannotStart, match="openssl rand"):
        run.refuse_unsafe_address("0.0.0.0")
    run.refuse_unsafe_address("::1")


def test_the_web_believes_no_proxy_by_itself(tmp_path: Path) -> None:
    """uvicorn would take any local client's X-Forwarded-For; whose word counts is CONSOLE_TRUSTED_PROXIES' matter."""
    web = next(process for process in run.console_processes(tmp_path, "127.0.0.1", 8000) if process.name == "web")
    assert "console.serve" in web.command
    assert not config_for("127.0.0.1", 8000, 1).proxy_headers


def test_the_secret_key_is_private_and_survives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for _ in range(2):
        monkeypatch.delenv("CONSOLE_SECRET_KEY", raising=False)
        prepare_state(tmp_path)
        keys.append((tmp_path / "secret.key").read_text())
    assert keys[0] == keys[1]
    assert len(keys[0]) > 40
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["http", "-1", "65536", "", "٣"])
def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CONSOLE_PORT", text)
    with pytest.raises(CannotStart, match=r"CONSOLE_PORT is .*not a port"):
        run.port_of("CONSOLE_PORT", "8000")


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CannotStart, match=r"file/var cannot be used.*CONSOLE_STATE_DIR"):
        prepare_state(file / "var")


def test_a_second_start_with_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = lock(tmp_path)
    with pytest.raises(CannotStart, match=rf"already running.*process {os.getpid()}"):
        lock(tmp_path)
    first.close()
    lock(tmp_path).close()


def test_what_a_killed_run_left_behind_is_ended_and_nothing_else(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = Process("others", SLEEPER, folder / "others.log")
    others.start()
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    ours = Process("ours", SLEEPER, folder / "ours.log")
    ours.start()
    environment = Path(f"/proc/{ours.popen.pid}/environ")
    eventually(lambda: str(tmp_path).encode() in environment.read_bytes())  # the kernel shows it a moment after exec

    end_leftovers(tmp_path)

    assert not ours.is_running
    assert others.is_running
    supervisor.stop([others])


def test_a_process_that_ends_early_is_reported_with_its_last_lines(folder: Path) -> None:
    broken = Process(
        "broken", [sys.executable, "-c", "raise SystemExit('no cluster here')"], folder / "broken.log", lambda: False
    )
    with pytest.raises(CannotStart, match="no cluster here"):
        supervisor.launch(broken, [])


def test_processes_that_ignore_sigterm_are_killed_all_within_one_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = [Process(name, STUBBORN, folder / f"{name}.log") for name in ("one", "two", "three")]
    for process in deaf:
        process.start()
        eventually(lambda process=process: "deaf" in process.tail())
    waits = _waits_of(deaf, monkeypatch)
    supervisor.stop(deaf, 0.2)
    assert [process.popen.returncode for process in deaf if process.popen] == [-signal.SIGKILL] * 3
    assert sum(waits) <= 0.2


def _waits_of(processes: list[Process], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What stop() was ready to wait for each of the processes, in seconds."""
    waits: list[float] = []
    for process in processes:
        assert process.popen is not None
        wait = process.popen.wait

        def noted(timeout: float | None = None, wait=wait) -> int:
            waits.append(timeout or 0.0)
            return wait(timeout)

        monkeypatch.setattr(process.popen, "wait", noted)
    return waits


def _until(process: Process, is_so: Callable[[], bool]) -> None:
    def look() -> bool:
        process.look()
        return is_so()

    eventually(look)


def test_a_process_that_dies_is_started_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = Process("worker", SLEEPER, folder / "worker.log")
    process.start()
    assert process.popen is not None
    first = process.popen.pid
    process.popen.kill()
    process.popen.wait()

    _until(process, lambda: process.is_running)

    assert process.popen.pid != first
    assert (folder.parent / "pids" / "worker").read_text() == str(process.popen.pid)
    assert "worker ended (signal SIGKILL) and restarts in" in capsys.readouterr().out
    supervisor.stop([process])


def test_a_process_that_keeps_dying_is_tried_again_and_again_with_its_last_line_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six ends within a minute once ended the whole console."""
    monkeypatch.setattr(supervisor, "MAX_PAUSE", 0.01)
    process = Process("worker", [sys.executable, "-c", "raise SystemExit('no memory')"], folder / "worker.log")
    process.start()
    _until(process, lambda: process.failures >= 8)
    assert capsys.readouterr().out.count("no memory") >= 8


def test_a_process_that_cannot_even_be_started_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a full disk, where a log cannot be written."""
    monkeypatch.setattr(supervisor, "MAX_PAUSE", 0.01)
    process = Process("web", SLEEPER, folder / "web.log")
    folder.rename(folder.parent / "gone")
    _until(process, lambda: process.failures >= 3)
    assert "web cannot be started" in capsys.readouterr().out
    (folder.parent / "gone").rename(folder)
    _until(process, lambda: process.is_running)
    supervisor.stop([process])


def test_pauses_grow_to_a_bound_and_differ() -> None:
    longest = [supervisor.pause_after(failures, lambda: 1.0) for failures in (1, 2, 3, 8, 9, 100)]
    assert longest == [0.5, 1.0, 2.0, supervisor.MAX_PAUSE, supervisor.MAX_PAUSE, supervisor.MAX_PAUSE]
    assert supervisor.pause_after(100, lambda: 0.0) == supervisor.MAX_PAUSE / 2


def test_a_process_that_lasted_begins_with_short_pauses_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LASTED", 0.0)
    process = Process("worker", SLEEPER, folder / "worker.log", failures=9)
    process.start()
    process.look()
    assert process.failures == 0
    supervisor.stop([process])


def test_a_terminal_that_is_gone_does_not_end_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115  closing it fails too
    monkeypatch.setattr(sys, "stdout", full)
    supervisor.say("no room for this")
    monkeypatch.undo()
    with pytest.raises(OSError, match="No space left"):
        full.close()
