"""The real control plane with pods, started once for the whole session, and a console whose only cluster it is."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.browser.conftest import browser, visitor
from tests.console_process import RunningConsole, console
from tests.real_cluster.control_plane import APPLY, ControlPlane, apply, control_plane, is_ready, object_path
from tests.real_cluster.releases import NEWEST, RELEASES, chosen
from tests.real_cluster.supervisor import START_SECONDS
from tests.waiting import eventually

__all__ = ["browser", "visitor"]

# Playwright's loop runs in this thread from its first test on, and Django looks for loops: the tests with a database of
# the second release come after it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# What these say is about Kubernetes and the console: a release of Knative changes nothing of it.
ON_THE_NEWEST_ALONE = {"tests.real_cluster.test_deployment", "tests.real_cluster.test_overhead"}
DEPLOYMENT = Path(__file__).parents[2] / "deploy" / "kubernetes"
MADE_BY_A_SERVICE = (
    "/apis/serving.knative.dev/v1/namespaces/default/configurations{}",
    "/apis/serving.knative.dev/v1/namespaces/default/routes{}",
    "/apis/serving.knative.dev/v1/namespaces/default/revisions{}",
    "/apis/apps/v1/namespaces/default/deployments{}",
    "/apis/autoscaling.internal.knative.dev/v1alpha1/namespaces/default/podautoscalers{}",
    "/apis/autoscaling.internal.knative.dev/v1alpha1/namespaces/default/metrics{}",
    "/apis/networking.internal.knative.dev/v1alpha1/namespaces/default/serverlessservices{}",
)
HELLO = "/apis/serving.knative.dev/v1/namespaces/default/services/hello"


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def box(release: str) -> Iterator[ControlPlane]:
    with control_plane(release, pods=True) as started:
        yield started


@pytest.hookimpl(trylast=True)  # after those that put tests with a database first
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One release after the other; on each what compares a whole cluster comes first, as all others leave something."""
    items.sort(key=lambda item: (_release(item), "test_kubectl_outputs" not in item.nodeid))


def _release(item: pytest.Item) -> int:
    """The place of the release that a test is for; what needs none comes last."""
    given = getattr(item, "callspec", None)
    return list(RELEASES).index(given.params["release"]) if given and "release" in given.params else len(RELEASES)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a control plane on each release in turn; a test's id names the release."""
    if "release" in metafunc.fixturenames:
        releases = [NEWEST] if metafunc.module.__name__ in ON_THE_NEWEST_ALONE else RELEASES
        metafunc.parametrize("release", [one for one in chosen(*releases) if one in releases], indirect=True)


def documents() -> list[dict[str, Any]]:
    """What `kubectl apply -k` would apply; the kustomization only names files that carry their namespace already."""
    kustomization = yaml.safe_load((DEPLOYMENT / "kustomization.yaml").read_text())
    return [
        document
        for name in kustomization["resources"]
        for document in yaml.safe_load_all((DEPLOYMENT / name).read_text())
    ]


@pytest.fixture(scope="session")
def deployed(box: ControlPlane) -> ControlPlane:
    """deploy/kubernetes, applied on the server's side with strict validation and without a warning."""
    for document in documents():
        path = f"{object_path(box, document)}?fieldManager=tests&fieldValidation=Strict"
        answer = box.ask("PATCH", path, json.dumps(document), content_type=APPLY)
        assert answer.status in (200, 201), f"{document['kind']}: {answer.data!r}"
        assert "Warning" not in answer.headers, f"{document['kind']}: {answer.headers['Warning']}"
    return box


@pytest.fixture(scope="session")
def account_token(deployed: ControlPlane) -> Path:
    """A file with a token of exactly the service account that the deployment gives the console."""
    path = "/api/v1/namespaces/sluice/serviceaccounts/sluice/token"
    answer = deployed.ask("POST", path, {"spec": {"expirationSeconds": 7200}})
    file = deployed.folder / "sluice-token"
    file.write_text(json.loads(answer.data)["status"]["token"])
    return file


@pytest.fixture(scope="module")
def running(box: ControlPlane, account_token: Path) -> Iterator[RunningConsole]:
    """A console on the real cluster, under the deployment's own service account.

    There is a service hello, as `kn service create` makes it.
    """
    container = {"image": "gcr.io/knative-samples/helloworld-go", "env": [{"name": "TARGET", "value": "First"}]}
    metadata = {"name": "hello", "namespace": "default"}
    kind = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
    apply(box, {**kind, "metadata": metadata, "spec": {"template": {"spec": {"containers": [container]}}}})
    eventually(lambda: is_ready(box, HELLO), timeout=START_SECONDS, message="hello does not become ready")
    access = {"url": box.url, "token_file": str(account_token), "ca_file": str(box.ca)}
    cluster = {"name": "real", **access, "ingress": f"127.0.0.1:{box.ingress_port}"}
    with console(environment={"CONSOLE_CLUSTERS": json.dumps([cluster]), "CONSOLE_DEMO": "1"}) as started:
        yield started
    box.ask("DELETE", HELLO)
    # A new service of the name would meet what is left, and Knative then tries again after ever longer pauses.
    eventually(lambda: not left_of(box, "hello"), timeout=START_SECONDS)


def left_of(box: ControlPlane, service: str) -> list[str]:
    """What the service made and the garbage collector has not yet taken, pods aside."""
    paths = [path.format(f"?labelSelector=serving.knative.dev/service={service}") for path in MADE_BY_A_SERVICE]
    return [one["metadata"]["name"] for path in paths for one in json.loads(box.ask("GET", path).data)["items"]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beside a failure what the programs of the control plane said last."""
    report = yield
    if report.failed and isinstance(box := getattr(item, "funcargs", {}).get("box"), ControlPlane):
        report.sections.append(("control plane", box.report()))
    return report
