"""The cluster that is asked, and a namespace of its own for every test.

A real cluster is asked with each release of Knative Serving, one after the other, the sandbox as the newest; KNATIVE
names others. A test's id names the release.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract import differences
from tests.contract.client import Client, Namespace
from tests.real_cluster.releases import NEWEST, RELEASES, chosen, numbers
from tests.sandbox_process import sandbox

TARGET = os.environ.get("CONTRACT_TARGET", "sandbox")
CHOSEN = chosen(*RELEASES) if TARGET == "real" else chosen(NEWEST)
USERS: dict[str, list[str]] = {"viewer": [], "console": []}


@pytest.fixture(scope="session", params=CHOSEN)
def release(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def knative(release: str) -> tuple[int, ...]:
    """The release as numbers: `knative >= (1, 21)`."""
    return numbers(release)


@pytest.fixture(scope="session")
def api(release: str) -> Iterator[Client]:
    """The administrator. CONTRACT_KUBECONFIG names one that runs already (make cluster PODS=no)."""
    if TARGET == "sandbox":
        with sandbox(speed=50, seed="empty", users=USERS, initial_scale=0, knative=release) as box:
            yield Client(box.url, box.token)
    elif kubeconfig := os.environ.get("CONTRACT_KUBECONFIG"):
        config = yaml.safe_load(Path(kubeconfig).read_text())
        cluster = config["clusters"][0]["cluster"]
        token = config["users"][0]["user"]["token"]
        yield Client(cluster["server"], token, Path(cluster["certificate-authority"]))
    else:
        from tests.real_cluster.control_plane import control_plane

        with control_plane(release) as plane:
            yield Client(plane.url, plane.token, plane.ca)


@pytest.fixture(scope="session")
def viewer(api: Client) -> Client:
    """A user that nobody gave a role."""
    return api.with_token("token-of-viewer")


def _namespace(api: Client) -> Iterator[Namespace]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    assert api.post("/api/v1/namespaces", {"metadata": {"name": name}}).code == 201
    yield Namespace(api, name)
    assert api.delete(f"/api/v1/namespaces/{name}").code in (200, 404, 409)


@pytest.fixture
def ns(api: Client) -> Iterator[Namespace]:
    """A namespace for one test."""
    yield from _namespace(api)


@pytest.fixture(scope="module")
def shared(api: Client) -> Iterator[Namespace]:
    """A namespace for the tests of one module."""
    yield from _namespace(api)


@pytest.fixture(scope="session")
def told(release: str) -> Callable[[str, Any], Any]:
    """told(case, expected): what this target answers, where differences.py knows that it differs."""

    def expected(case: str, common: Any) -> Any:
        difference = differences.BY_CASE.get(case)
        return common if difference is None else difference.expected(TARGET, release, common)

    return expected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A real control plane may have to wait for another one's end before it starts."""
    if TARGET == "real":
        for item in items:
            item.add_marker(pytest.mark.timeout(900))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section(f"contract: target {TARGET}, {len(differences.BY_CASE)} known differences")
    terminalreporter.write(differences.table())
