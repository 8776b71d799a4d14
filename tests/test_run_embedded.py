"""The embedded default of `make run`: a Redis that starts whatever its folder holds, and a sandbox for kubectl."""

from __future__ import annotations

import json
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from kubernetes import client as kubernetes_client
from kubernetes import config

from console.run import embedded_redis, supervisor
from console.run.embedded_redis import redis_process
from console.run.embedded_sandbox import embedded_cluster, kubectl_and_kn
from console.run.state import end_leftovers, prepare_state
from console.run.supervisor import CannotStart, Process
from tests.waiting import eventually

KEY, VALUE = "kept", "as it was"


@pytest.fixture
def state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="run-"))  # a short path: a socket's name has at most 107 bytes
    prepare_state(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    supervisor.stop(processes)


def connect(state: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(state / "redis.sock"), decode_responses=True)


def start(state: Path, started: list[Process]) -> Process:
    process = redis_process(state)
    supervisor.launch(process, started)
    return process


def aside_of(state: Path) -> list[Path]:
    return sorted(state.glob("redis.set-aside-*"))


def by_a_newer_redis(folder: Path) -> None:
    [base] = folder.glob("appendonlydir/*.base.rdb")
    base.write_bytes(b"REDIS0099" + base.read_bytes()[9:])


def cut_off_by_a_full_disk(folder: Path) -> None:
    [log] = folder.glob("appendonlydir/*.incr.aof")
    log.write_bytes(log.read_bytes()[:-9] + b"\0" * 64 + b"*2\r\n$3\r\n")


def without_its_parts(folder: Path) -> None:
    for part in folder.glob("appendonlydir/*.base.rdb"):
        part.unlink()


def with_a_manifest_of_something_else(folder: Path) -> None:
    [manifest] = folder.glob("appendonlydir/*.manifest")
    manifest.write_text("nothing that Redis knows\n")


BROKEN = (by_a_newer_redis, cut_off_by_a_full_disk, without_its_parts, with_a_manifest_of_something_else)


def filled(state: Path, started: list[Process]) -> Process:
    process = start(state, started)
    with connect(state) as client:
        client.set(KEY, VALUE)
    return process


def test_redis_keeps_its_data_over_a_restart(state: Path, started: list[Process]) -> None:
    supervisor.stop([filled(state, started)])
    start(state, started)
    with connect(state) as client:
        assert client.get(KEY) == VALUE
    assert aside_of(state) == []


def test_a_redis_that_a_killed_run_left_behind_is_ended_before_another_writes_to_its_folder(
    state: Path, started: list[Process]
) -> None:
    left = filled(state, started)
    end_leftovers(state)
    assert not left.is_running
    start(state, started)
    with connect(state) as client:
        assert client.get(KEY) == VALUE


@pytest.mark.parametrize("spoil", BROKEN)
def test_data_that_redis_cannot_load_is_set_aside_and_kept(
    state: Path, started: list[Process], spoil: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.stop([filled(state, started)])
    spoil(state / "redis")
    start(state, started)
    with connect(state) as client:
        assert client.get(KEY) is None
        assert client.set(KEY, "afresh")
    [aside] = aside_of(state)
    assert list(aside.glob("appendonlydir/*"))
    [line] = [line for line in capsys.readouterr().out.splitlines() if "set-aside" in line]
    assert "starts empty" in line
    assert str(aside) in line


def test_data_that_breaks_while_the_console_runs_is_set_aside_too(state: Path, started: list[Process]) -> None:
    process = filled(state, started)
    assert process.popen is not None
    process.popen.kill()
    process.popen.wait()
    cut_off_by_a_full_disk(state / "redis")

    def is_back() -> bool:
        process.look()
        return process.is_running and process.was_ready

    eventually(is_back)
    with connect(state) as client:
        assert client.get(KEY) is None
    assert len(aside_of(state)) == 1


def test_data_is_put_back_when_redis_does_not_start_without_it_either(
    state: Path, started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.stop([filled(state, started)])
    monkeypatch.setattr(embedded_redis.shutil, "which", lambda _name: "/bin/false")
    with pytest.raises(CannotStart, match="redis did not start"):
        start(state, started)
    monkeypatch.undo()
    assert aside_of(state) == []
    start(state, started)
    with connect(state) as client:
        assert client.get(KEY) == VALUE


@pytest.fixture
def box(state: Path, started: list[Process], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("CONSOLE_CLUSTERS", "CONSOLE_DEMO", "CONSOLE_LOOPBACK_CLUSTERS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("CONSOLE_INGRESS_PORT", "0")
    found = embedded_cluster(state, started)
    assert found is not None
    return found


def services(state: Path) -> set[str]:
    with config.new_client_from_config(str(state / "sandbox.kubeconfig")) as client:
        api = kubernetes_client.CustomObjectsApi(client)
        found = api.list_cluster_custom_object("serving.knative.dev", "v1", "services")
    return {item["metadata"]["name"] for item in found["items"]}


def test_the_kubeconfig_is_private_and_leads_to_the_sandbox(state: Path, box: dict[str, str]) -> None:
    for name in ("sandbox.kubeconfig", "sandbox.token", "sandbox.tokens", "sandbox.json"):
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600, name
    assert "hello" in services(state)
    assert all(f"KUBECONFIG={state}/sandbox.kubeconfig " in line for line in kubectl_and_kn(state))


def test_a_sandbox_that_died_comes_back_where_it_was(state: Path, started: list[Process], box: dict[str, str]) -> None:
    [process] = started
    assert process.popen is not None
    process.popen.kill()
    process.popen.wait()
    (state / "sandbox.json").unlink()

    def is_back() -> bool:
        process.look()
        return (state / "sandbox.json").exists()

    eventually(is_back)
    again = json.loads((state / "sandbox.json").read_text())
    for fact in ("url", "tls_url", "token"):
        assert again[fact] == box[fact]
    assert "hello" in services(state)


def test_a_path_with_blanks_is_quoted(tmp_path: Path) -> None:
    assert kubectl_and_kn(tmp_path / "my folder")[0].startswith(f"KUBECONFIG='{tmp_path}/my folder/sandbox.kubeconfig'")
