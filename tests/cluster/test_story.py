"""The same story as on the sandbox, with only the cluster swapped for a real Knative."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.browser.conftest import Visitor
from tests.browser.story import play
from tests.cluster.control_plane import ControlPlane, apply
from tests.console_process import RunningConsole, console
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(900)
HELLO = "/apis/serving.knative.dev/v1/namespaces/default/services/hello"


@pytest.fixture(scope="module")
def running(box: ControlPlane) -> Iterator[RunningConsole]:
    """A console whose only cluster is the real one, with a service hello as `kn service create` makes it."""
    container = {"image": "gcr.io/knative-samples/helloworld-go", "env": [{"name": "TARGET", "value": "First"}]}
    metadata = {"name": "hello", "namespace": "default"}
    kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
    apply(box, {**kind, "metadata": metadata, "spec": {"template": {"spec": {"containers": [container]}}}})
    eventually(lambda: is_ready(box), timeout=60, message="hello does not become ready")
    kubeconfig = box.kubeconfig(box.folder / "console.kubeconfig")
    cluster = {"name": "real", "kubeconfig": str(kubeconfig), "ingress": f"127.0.0.1:{box.ingress_port}"}
    with console(environment={"CONSOLE_CLUSTERS": json.dumps([cluster]), "CONSOLE_DEMO": "1"}) as started:
        yield started


def is_ready(box: ControlPlane) -> bool:
    status = json.loads(box.ask("GET", HELLO).data).get("status") or {}
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])


def test_the_whole_story_on_a_real_knative(visitor: Visitor) -> None:
    play(visitor, "real", is_sandbox=False)
