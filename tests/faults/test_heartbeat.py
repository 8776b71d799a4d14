"""The liveness probes of deploy/kubernetes and docker-compose.yml, as written, against processes that live and hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.faults.stage import ROOT, Stage, stage
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
NAMES = ("worker", "background", "watcher", "beat")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
WRITTEN_IN_IMAGE = "/tmp/sluice"  # CONSOLE_STATE_DIR of the Dockerfile


def probes(name: str) -> list[list[str]]:
    """Every command by which a deployment asks whether the process lives."""
    (container,) = next(
        document["spec"]["template"]["spec"]["containers"]
        for document in yaml.safe_load_all((ROOT / f"deploy/kubernetes/{name}.yaml").read_text())
        if document["kind"] == "Deployment"
    )
    kubernetes = [container[kind]["exec"]["command"] for kind in ("startupProbe", "livenessProbe")]
    return [*kubernetes, ["sh", "-c", COMPOSE[name]["healthcheck"]["test"][1]]]


def command(name: str, folder: Path) -> list[str]:
    """The process as docker-compose.yml starts it, from this environment."""
    words = COMPOSE[name]["command"].replace("/tmp/beat-schedule", str(folder / "schedule")).split()
    words = [word.strip('"') for word in words]
    return [sys.executable, *(words[1:] if words[0] == "python" else ["-m", *words])]


@pytest.fixture(scope="module")
def running(django_db_blocker) -> Iterator[Stage]:
    """One database is enough: no probe asks it."""
    with django_db_blocker.unblock(), stage() as everything:
        yield everything


@pytest.mark.parametrize("name", NAMES)
def test_a_probe_passes_while_the_process_works_and_fails_when_it_hangs(fresh: Stage, tmp_path: Path, name: str):
    state = tmp_path / "state"
    state.mkdir()
    process = fresh._start(name, command(name, tmp_path), {"CONSOLE_STATE_DIR": str(state)})
    alive = state / "alive" / name

    def passes() -> bool:
        asked = [[word.replace(WRITTEN_IN_IMAGE, str(state)) for word in probe] for probe in probes(name)]
        return all(subprocess.run(probe, capture_output=True, check=False).returncode == 0 for probe in asked)

    def fails() -> bool:
        asked = [[word.replace(WRITTEN_IN_IMAGE, str(state)) for word in probe] for probe in probes(name)]
        return all(subprocess.run(probe, capture_output=True, check=False).returncode != 0 for probe in asked)

    assert fails(), "before it has started"
    eventually(passes, message=f"{name} is never alive")
    process.send_signal(signal.SIGSTOP)
    past = time.time() - 180
    os.utime(alive, (past, past))  # three minutes pass
    assert fails()
    process.send_signal(signal.SIGCONT)
    eventually(passes, message=f"{name} does not come back")
    fresh.stop(process)
