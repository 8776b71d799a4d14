"""The real kubectl against the sandbox, over TLS as kubectl wants it."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from console import kubectl_yaml
from console.knative.changes import (
    Combined,
    EnvSource,
    SetAnnotations,
    SetCommand,
    SetEnvFrom,
    SetLabels,
    SetPort,
    SetProbe,
    SetResources,
    SetRevisionName,
    SetScale,
    SetTimeout,
    SetVisibility,
    SplitTraffic,
)
from console.knative.changes.base import Change
from console.knative.objects import Service
from console.knative.traffic import TrafficTarget
from console.operations import patches
from tests.console_process import console
from tests.sandbox.api_client import service
from tests.sandbox_process import Sandbox
from tests.support.manifests import BY_NAME
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")


ONE_CONTAINER = {"template": {"spec": {"containers": [{"image": "gcr.io/knative-samples/helloworld-go"}]}}}


class Kubectl:
    """Runs kubectl with a kubeconfig and a home of its own."""

    def __init__(self, config: Path, home: Path) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(config), "HOME": str(home)}

    def __call__(self, *arguments: str, given: Any = None, given_text: str | None = None, code: int = 0) -> str:
        """What it printed, errors and warnings at the end."""
        done = self._run(*arguments, given=given, given_text=given_text, code=code)
        return done.stdout + done.stderr

    def read(self, *arguments: str, given: Any = None) -> Any:
        """The JSON that it printed, without warnings."""
        return json.loads(self._run(*arguments, "-o", "json", given=given).stdout)

    def _run(
        self, *arguments: str, given: Any = None, given_text: str | None = None, code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["kubectl", *arguments],
            input=given_text if given is None else yaml.safe_dump(given),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done


@pytest.fixture(scope="session")
def kubectl(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    home = tmp_path_factory.mktemp("kubectl")
    return Kubectl(box.kubeconfig(home / "config"), home)


@pytest.fixture(scope="session")
def viewer(box: Sandbox, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    kubectl("create", "namespace", "seen")
    kubectl("create", "rolebinding", "viewers", "--clusterrole=view", "--group=viewers", "-n", "seen")
    home = tmp_path_factory.mktemp("viewer")
    return Kubectl(box.kubeconfig(home / "config", user="viewer"), home)


def test_discovery(kubectl: Kubectl):
    listed = kubectl("api-resources", "--api-group=serving.knative.dev", "-o", "wide")
    assert "kservice,ksvc" in listed
    assert "serving.knative.dev/v1" in kubectl("api-versions")
    assert "v1.36.3+sandbox" in kubectl("version")
    assert "FIELDS" in kubectl("explain", "ksvc.spec.traffic")


def test_apply_changes_what_it_applied_and_says_so(kubectl: Kubectl):
    obj = service("applied")
    assert "created" in kubectl("apply", "-f", "-", given=obj)
    kubectl("apply", "-f", "-", given=obj)  # the defaults inside the containers make kubectl patch, to no effect
    assert kubectl("get", "ksvc", "applied", "-o", "jsonpath={.metadata.generation}") == "1"
    changed = service("applied", value="Second")
    assert "configured" in kubectl("apply", "-f", "-", given=changed)
    stored = json.loads(kubectl("get", "ksvc", "applied", "-o", "json"))
    assert stored["metadata"]["generation"] == 2
    bogus = changed | {"spec": {**changed["spec"], "bogus": 1}}
    assert 'unknown field "spec.bogus"' in kubectl("apply", "-f", "-", given=bogus, code=1)
    assert "created (dry run)" in kubectl("create", "-f", "-", "--dry-run=server", given=service("other")).replace(
        "(server dry run)", "(dry run)"
    )
    assert "deleted" in kubectl("delete", "ksvc", "applied")
    assert "NotFound" in kubectl("get", "ksvc", "applied", code=1)


def test_core_kinds_are_created_applied_and_patched(kubectl: Kubectl):
    kubectl("create", "configmap", "settings", "--from-literal=a=1")
    kubectl("create", "secret", "generic", "db", "--from-literal=password=x")
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}}
    assert "created" in kubectl("apply", "-f", "-", given=obj)
    assert "configured" in kubectl("apply", "-f", "-", given=obj | {"data": {"b": "2"}})
    assert json.loads(kubectl("get", "cm", "applied", "-o", "jsonpath={.data}")) == {"b": "2"}
    kubectl("patch", "cm", "applied", "-p", '{"data":{"c":"3"}}')
    kubectl("patch", "cm", "applied", "--type=json", "-p", '[{"op":"remove","path":"/data/b"}]')
    kubectl("label", "cm", "applied", "tier=web")
    assert "applied" in kubectl("get", "cm", "-l", "tier in (web)")
    kubectl("delete", "cm,secret", "--all")


def test_a_server_side_apply_owns_its_fields_and_takes_others_by_force(kubectl: Kubectl):
    obj = service("owned") | {"spec": ONE_CONTAINER}
    applied = ("apply", "--server-side", "-f", "-")
    assert "serverside-applied" in kubectl(*applied, given=obj)
    assert "serverside-applied" in kubectl(*applied, given=obj)
    split = {"spec": {"traffic": [{"latestRevision": True, "percent": 100, "tag": "now"}]}}
    kubectl("patch", "ksvc", "owned", "--type=merge", "-p", json.dumps(split), "--field-manager=splitter")
    theirs = obj | {"spec": {**ONE_CONTAINER, "traffic": [{"latestRevision": True, "percent": 100}]}}
    refused = kubectl(*applied, given=theirs, code=1)
    assert 'conflict with "splitter" using serving.knative.dev/v1: .spec.traffic' in refused
    assert "--force-conflicts" in refused
    assert "serverside-applied" in kubectl(*applied, "--force-conflicts", given=theirs)
    shown = yaml.safe_load(kubectl("get", "ksvc", "owned", "-o", "yaml", "--show-managed-fields"))
    managers = {(each["manager"], each["operation"]) for each in shown["metadata"]["managedFields"]}
    assert {("kubectl", "Apply"), ("controller", "Update")} == managers
    assert "managedFields" not in kubectl("get", "ksvc", "owned", "-o", "yaml")
    kubectl("delete", "ksvc", "owned")


def test_what_was_applied_by_the_client_becomes_the_servers(kubectl: Kubectl):
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "migrated"}, "data": {"a": "1"}}
    kubectl("apply", "-f", "-", given=obj)
    changed = obj | {"data": {"a": "2"}}
    assert "serverside-applied" in kubectl("apply", "--server-side", "-f", "-", given=changed)
    shown = yaml.safe_load(kubectl("get", "cm", "migrated", "-o", "yaml", "--show-managed-fields"))
    assert "kubectl-client-side-apply" not in {each["manager"] for each in shown["metadata"]["managedFields"]}
    kubectl("delete", "cm", "migrated")


def words(printed: str) -> list[list[str]]:
    """The cells of what `kubectl get` printed, line by line; no cell of these tests has a space."""
    return [line.split() for line in printed.splitlines()]


def test_get_prints_what_a_real_cluster_prints(kubectl: Kubectl):
    of_service = ("-l", "serving.knative.dev/service=printed")
    annotations = {"autoscaling.knative.dev/min-scale": "1"}  # the others have no pod after a second
    template = ONE_CONTAINER["template"] | {"metadata": {"annotations": annotations}}
    kubectl("create", "-f", "-", given=service("printed") | {"spec": {"template": template}})
    kubectl("wait", "ksvc", "printed", "--for=condition=Ready", "--timeout=20s")
    url, revision = "http://printed.default.example.com", "printed-00001"
    assert words(kubectl("get", "ksvc", "printed")) == [
        ["NAME", "URL", "LATESTCREATED", "LATESTREADY", "READY", "REASON"],
        ["printed", url, revision, revision, "True"],
    ]
    assert words(kubectl("get", "route", "printed"))[1] == ["printed", url, "True"]
    assert words(kubectl("get", "revision", *of_service)) == [
        ["NAME", "CONFIG", "NAME", "GENERATION", "READY", "REASON", "ACTUAL", "REPLICAS", "DESIRED", "REPLICAS"],
        [revision, "printed", "1", "True", "1", "1"],
    ]
    header, pod = words(kubectl("get", "pods", *of_service))
    assert header == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert pod[0].startswith(f"{revision}-deployment-")
    assert pod[1:4] == ["2/2", "Running", "0"]
    wide = words(kubectl("get", "pods", *of_service, "-o", "wide"))
    assert wide[0][5:] == ["IP", "NODE", "NOMINATED", "NODE", "READINESS", "GATES"]
    assert wide[1][6:] == ["sandbox-worker", "<none>", "<none>"]
    events = words(kubectl("get", "events", "--field-selector", f"involvedObject.name={pod[0]}"))
    assert events[0] == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert {line[2] for line in events[1:]} >= {"Scheduled", "Pulled", "Created", "Started"}
    assert words(kubectl("get", "ns", "default"))[1][:2] == ["default", "Active"]
    assert words(kubectl("get", "sa"))[0] == ["NAME", "AGE"]
    assert words(kubectl("get", "ksvc", "printed", "--no-headers")) == [["printed", url, revision, revision, "True"]]


def test_a_watch_prints_one_header(kubectl: Kubectl):
    for name in ("one", "two"):
        kubectl("create", "configmap", name)
        kubectl("label", "cm", name, "watched=yes")
    printed = words(kubectl("get", "cm", "-l", "watched", "-w", "--request-timeout=1s"))
    assert [line[:2] for line in printed[:3]] == [["NAME", "DATA"], ["one", "0"], ["two", "0"]]


def test_logs_of_a_crash_are_followed_to_its_end_and_kept_as_the_previous_ones(kubectl: Kubectl):
    crashing = {"template": {"spec": {"containers": [{"image": "example.com/crash"}]}}}
    kubectl("create", "-f", "-", given=service("crashing") | {"spec": crashing})
    of_service = ("-l", "serving.knative.dev/service=crashing")
    pod = eventually(lambda: kubectl("get", "pods", *of_service, "-o", "name").strip())
    eventually(lambda: "CrashLoopBackOff" in kubectl("get", "pods", *of_service))
    followed = kubectl("logs", pod, "-c", "user-container", "-f")
    assert followed.strip()
    assert kubectl("logs", pod, "-c", "user-container", "--previous").splitlines()[-1].strip()
    kubectl("delete", "ksvc", "crashing")


def test_a_namespace_with_a_service_is_gone_when_kubectl_returns(kubectl: Kubectl):
    kubectl("create", "namespace", "passing")
    kubectl("create", "-n", "passing", "-f", "-", given=service("hello") | {"spec": ONE_CONTAINER})
    kubectl("wait", "-n", "passing", "ksvc", "hello", "--for=condition=Ready", "--timeout=20s")
    kubectl("delete", "namespace", "passing", "--timeout=20s")
    assert "NotFound" in kubectl("get", "namespace", "passing", code=1)


def test_a_watch_prints_what_happens(kubectl: Kubectl):
    kubectl("create", "configmap", "watched")
    watched = kubectl("get", "cm", "watched", "-w", "--request-timeout=1s", "-o", "name")
    assert "configmap/watched" in watched
    kubectl("delete", "cm", "watched")


def test_describe_pods_and_logs(kubectl: Kubectl, box: Sandbox):
    kubectl("create", "secret", "generic", "db", "--from-literal=password=x")  # the sidecar's envFrom needs it
    kubectl("apply", "-f", "-", given=service("hello"))
    kubectl("wait", "ksvc", "hello", "--for=condition=Ready", "--timeout=20s")
    described = kubectl("describe", "ksvc", "hello")
    assert "Latest Ready Revision Name" in described
    kubectl("get", "ksvc,rev,rt,configuration", "-A")
    request = f"{box.ingress_url}/"
    subprocess.run(["curl", "-sf", "-H", "Host: hello.default.example.com", request], check=True, timeout=30)
    pods = eventually(lambda: kubectl("get", "pods", "-l", "serving.knative.dev/service=hello", "-o", "name").split())
    logs = kubectl("logs", pods[0], "--all-containers", "--tail=5", "--timestamps")
    assert logs


def test_who_may_what(kubectl: Kubectl, viewer: Kubectl):
    assert "admin" in kubectl("auth", "whoami")
    assert kubectl("auth", "can-i", "delete", "ksvc").strip() == "yes"
    assert "yes" in viewer("auth", "can-i", "list", "ksvc", "-n", "seen")
    assert "no" in viewer("auth", "can-i", "create", "ksvc", "-n", "seen", code=1)
    assert "Forbidden" in viewer("get", "ksvc", "-n", "default", code=1)
    assert "cannot impersonate" in viewer("get", "ksvc", "--as=admin", code=1)
    assert "no" in kubectl("auth", "can-i", "list", "ksvc", "--as=mary", "--as-group=devs", code=1)
    kubectl("create", "serviceaccount", "robot")
    assert len(kubectl("create", "token", "robot").strip()) > 20


def test_what_the_console_shows_as_yaml_is_read_back_as_it_is(kubectl: Kubectl):
    services = {name: raw for name, raw in BY_NAME.items() if name != "marks-applied"}  # kubectl renews its own copy
    shown = "---\n".join(kubectl_yaml.dump(raw) for raw in services.values())
    answer = kubectl("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", given_text=shown)
    assert {raw["metadata"]["name"]: raw for raw in _objects(answer)} == services


def test_a_patch_as_it_is_shown_makes_of_the_service_what_was_previewed(kubectl: Kubectl):
    before = service("patched")
    for container in before["spec"]["template"]["spec"]["containers"]:
        container.pop("env", None)  # values are masked in what is shown
    kubectl("apply", "-f", "-", given=before)
    stored = json.loads(kubectl("get", "ksvc", "patched", "-o", "json"))
    wanted = copy.deepcopy(stored)
    odd = {"example.com/at": "12:30", "example.com/sha": "81111e1", "example.com/nel": "a\x85b", "example.com/on": "on"}
    wanted["metadata"]["annotations"] |= odd
    wanted["spec"]["template"]["spec"]["containers"][0]["args"] = ["set -e\n./run\n", "0o17", " ", "\u2028"]
    kubectl("patch", "ksvc", "patched", "--type=merge", "--patch", patches.as_yaml(stored, wanted))
    after = json.loads(kubectl("get", "ksvc", "patched", "-o", "json"))
    assert after["metadata"]["annotations"] == wanted["metadata"]["annotations"]
    assert after["spec"] == wanted["spec"]


PATCHED: list[Change] = [
    SetScale({"min": "1", "window": "60s"}),
    SetVisibility(True),
    SetLabels({"tier": "back", "team": None}),
    SetAnnotations({"a.b/c": "12:30"}, "revision"),
    SetTimeout(77),
    SetCommand("user-container-0", ("sh", "-c"), ("set -e\n./run\n", "yes", "")),
    SetResources("user-container-0", {"cpu": "1500m"}, {"memory": "128Mi"}),
    SetEnvFrom("sidecar", (EnvSource("config-map", "flags", "P_"),), (EnvSource("secret", "db"),)),
    SetProbe("user-container-0", "livenessProbe", {"exec": {"command": ["a,b", "c:d"]}}),
    SplitTraffic((TrafficTarget(None, 100, "now"),)),
    Combined((SetPort("user-container-0", 9000, "h2c"), SetRevisionName("merged-blue"))),
]


@pytest.mark.parametrize("change", PATCHED, ids=lambda change: type(change).__name__)
def test_a_shown_patch_and_the_change_itself_are_the_same_to_the_server(kubectl: Kubectl, change: Change) -> None:
    if not kubectl("get", "ksvc", "merged", "--ignore-not-found", "-o", "name"):
        kubectl("create", "-f", "-", given=service("merged", value="", team="front"))
    stored = json.loads(kubectl("get", "ksvc", "merged", "-o", "json"))
    wanted = dict(change.apply(Service(stored)).raw)
    patch = patches.as_yaml(stored, wanted)
    dry = "--dry-run=server"
    patched = kubectl.read("patch", "ksvc", "merged", "--type=merge", "--patch", patch, dry)
    replaced = kubectl.read("replace", "-f", "-", dry, given=wanted | {"metadata": _unversioned(wanted)})
    assert patched["spec"] == replaced["spec"]
    for kind in ("labels", "annotations"):
        assert patched["metadata"].get(kind) == replaced["metadata"].get(kind)


def _unversioned(raw: dict[str, Any]) -> dict[str, Any]:
    """The controllers write the status meanwhile."""
    return {key: value for key, value in raw["metadata"].items() if key != "resourceVersion"}


def _objects(text: str) -> list[Any]:
    """kubectl prints one JSON object behind the other."""
    found, position = [], 0
    while position < len(text.rstrip()):
        raw, position = json.JSONDecoder().raw_decode(text, position)
        found.append(raw)
        position += len(text[position:]) - len(text[position:].lstrip())
    return found


def test_the_command_that_make_run_prints_shows_the_services() -> None:
    with console(sandbox_speed=20) as running:
        lines = [line.strip() for line in running.welcome().splitlines()]
        [command] = [line for line in lines if " kubectl " in line]
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert "hello" in done.stdout
        assert command.replace("kubectl get ksvc", "kn service list") in lines
