"""The sandbox as a process: its start, its end and what it keeps."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.sandbox.api_client import CONFIGMAPS, SERVICES, Client, configmap, service
from tests.sandbox_process import sandbox
from tests.waiting import eventually


def test_a_signal_ends_it_although_watches_are_open(tmp_path: Path):
    state = tmp_path / "state.json"
    with sandbox(state=state) as box:
        admin = Client(box.url, box.token)
        admin.post(CONFIGMAPS, configmap("kept", a="1"))
        with admin.watch(f"{CONFIGMAPS}?watch=1&fieldSelector=metadata.name=kept") as events:
            assert next(events)["object"]["metadata"]["name"] == "kept"
            box.process.send_signal(signal.SIGTERM)
            assert box.process.wait(60) == 0
            assert list(events) == []
        assert "Traceback" not in box.output.read_text()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    with sandbox(state=state, seed="demo") as box:
        admin = Client(box.url, box.token)
        kept = admin.get(f"{CONFIGMAPS}/kept").body
        assert kept["data"] == {"a": "1"}
        assert admin.get(SERVICES).body["items"] == []  # a kept cluster is not seeded again


def test_a_killed_process_forgets_at_most_its_last_moments(tmp_path: Path):
    state = tmp_path / "state.json"
    with sandbox(state=state) as box:
        Client(box.url, box.token).post(CONFIGMAPS, configmap("kept"))
        eventually(lambda: state.exists() and "kept" in state.read_text())
        box.process.kill()
        box.process.wait(60)
    with sandbox(state=state) as box:
        assert Client(box.url, box.token).get(f"{CONFIGMAPS}/kept").code == 200


def test_a_watch_of_an_earlier_life_is_told_to_list_again(tmp_path: Path):
    with sandbox() as box:
        version = Client(box.url, box.token).get(CONFIGMAPS).body["metadata"]["resourceVersion"]
    with (
        sandbox() as box,
        Client(box.url, box.token).watch(f"{CONFIGMAPS}?watch=1&resourceVersion={version}") as events,
    ):
        assert next(events)["object"]["code"] == 410


def test_the_demo_answers_through_its_ingress():
    with sandbox(seed="demo") as box:
        admin = Client(box.url, box.token)
        eventually(lambda: admin.get(f"{SERVICES}/hello").body["status"]["conditions"])
        request = urllib.request.Request(box.ingress_url, headers={"Host": "hello.default.example.com"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.read() == b"Hello First!\n"


def test_the_speed_can_be_changed_while_it_runs():
    with sandbox(speed=2) as box:
        assert box.get("/sandbox/speed") == {"speed": 2.0}
        assert box.post("/sandbox/speed", {"speed": 30}) == {"speed": 30.0}
        admin = Client(box.url, box.token)
        assert admin.post("/sandbox/speed", {"speed": 0}).code == 400
        assert admin.post(SERVICES, service()).code == 201


def test_a_kept_cluster_is_upgraded_to_the_release_it_is_started_as(tmp_path: Path):
    setting = "/api/v1/namespaces/knative-serving/configmaps/config-defaults"
    state = tmp_path / "state.json"
    with sandbox(state=state, knative="1.15") as box:
        admin = Client(box.url, box.token)
        assert box.get("/sandbox/facts")["knative"] == "1.15"
        assert admin.merge(setting, {"data": {"revision-timeout-seconds": "200"}}).code == 200
        assert admin.get(setting).body["metadata"]["labels"]["app.kubernetes.io/version"] == "1.15.2"
    with sandbox(state=state) as box:
        kept = Client(box.url, box.token).get(setting).body
        assert kept["data"]["revision-timeout-seconds"] == "200"
        assert kept["metadata"]["labels"]["app.kubernetes.io/version"] == "1.23.0"
        assert box.get("/sandbox/facts")["knative"] == "1.23"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--speed", "0"], "is not above 0"),
        (["--port", "70000"], "is no port"),
        (["--seed", "unknown"], "unknown"),
        (["--knative", "1.14"], "1.14 is not one of 1.15, 1.23"),
        (["--token-file", "/nonexistent/tokens"], "/nonexistent/tokens"),
    ],
)
def test_wrong_options_are_told_without_a_traceback(arguments: list[str], told: str):
    done = subprocess.run(
        [sys.executable, "-m", "console.sandbox", *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_state_file_that_is_none_is_refused(tmp_path: Path):
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"objects": 3}))
    arguments = [sys.executable, "-m", "console.sandbox", "--state", str(state)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "is not a state file" in done.stderr) == (2, True)
