"""The supervisor behind `make run`: what it refuses, and that it restarts and stops what it started."""

import secrets
import signal
import socket
import sys
from pathlib import Path

import pytest

from console import run
from tests.waiting import eventually

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run.prepare_state(tmp_path)
    return tmp_path / "logs"


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(run.CannotStart, match=rf"Port {port}.*CONSOLE_PORT=8001"):
            run.refuse_taken_port("127.0.0.1", port)


@pytest.mark.parametrize("word", ["1", "true", "on"])
def test_the_demo_never_listens_beyond_loopback(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("CONSOLE_DEMO", word)
    monkeypatch.setenv("CONSOLE_SECRET_KEY", secrets.token_urlsafe(48))
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(run.CannotStart, match="loopback only"):
            run.refuse_unsafe_address(host)
    run.refuse_unsafe_address("127.0.0.1")


@pytest.mark.parametrize("key", ["", "change-me", "x" * 64, "abc" * 30])
def test_a_key_that_can_be_guessed_never_listens_beyond_loopback(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.delenv("CONSOLE_DEMO", raising=False)
    monkeypatch.setenv("CONSOLE_SECRET_KEY", key)
    with pytest.raises(run.CannotStart, match="openssl rand"):
        run.refuse_unsafe_address("0.0.0.0")
    run.refuse_unsafe_address("::1")


def test_the_web_believes_no_proxy_by_itself(tmp_path: Path) -> None:
    """uvicorn would take any local client's X-Forwarded-For; whose word counts is CONSOLE_TRUSTED_PROXIES' matter."""
    web = next(process for process in run.console_processes(tmp_path, "127.0.0.1", 8000) if process.name == "web")
    assert "--no-proxy-headers" in web.command


def test_the_secret_key_is_private_and_survives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for _ in range(2):
        monkeypatch.delenv("CONSOLE_SECRET_KEY", raising=False)
        run.prepare_state(tmp_path)
        keys.append((tmp_path / "secret.key").read_text())
    assert keys[0] == keys[1]
    assert len(keys[0]) > 40
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_a_process_that_ends_early_is_reported_with_its_last_lines(folder: Path) -> None:
    broken = run.Process("broken", [sys.executable, "-c", "raise SystemExit('no cluster here')"], folder / "broken.log")
    with pytest.raises(run.CannotStart, match="no cluster here"):
        run.launch(broken, [], ready=lambda: False)


def test_a_process_that_ignores_sigterm_is_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "STOP_TIMEOUT", 0.2)
    process = run.Process("deaf", STUBBORN, folder / "deaf.log")
    process.start()
    eventually(lambda: "deaf" in process.last_words())
    process.stop()
    assert process.popen is not None
    assert process.popen.returncode == -signal.SIGKILL


def test_a_process_that_dies_is_started_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = run.Process("worker", SLEEPER, folder / "worker.log")
    process.start()
    assert process.popen is not None
    first = process.popen.pid
    process.popen.kill()
    process.popen.wait()

    run.revive(process)

    assert process.is_running
    assert process.popen.pid != first
    assert "worker ended and is started again" in capsys.readouterr().out
    process.stop()


def test_a_process_that_keeps_dying_stops_the_console(folder: Path) -> None:
    process = run.Process("worker", [sys.executable, "-c", "raise SystemExit('bad settings')"], folder / "worker.log")
    process.starts = [run.time.monotonic()] * 6
    process.start()
    assert process.popen is not None
    process.popen.wait()
    with pytest.raises(run.CannotStart, match="bad settings"):
        run.revive(process)
