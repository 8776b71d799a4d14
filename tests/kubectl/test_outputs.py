"""kubectl prints of the sandbox what is recorded of a real Knative, line by line but for the listed differences."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubectl.commands import commands, of_the_documents, quick
from tests.kubectl.differences import DIFFERENCES, REAL, SANDBOX, disagreements
from tests.kubectl.record import recorded
from tests.kubectl.running import Outputs, minor_version, outputs
from tests.real_cluster.releases import NEWEST, RELEASES
from tests.sandbox_process import sandbox

OF_KUBECTL = recorded(NEWEST)[0]
DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"
pytestmark = [
    pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed"),
    pytest.mark.skipif(
        bool(shutil.which("kubectl")) and minor_version() != OF_KUBECTL,
        reason=f"recorded with kubectl {OF_KUBECTL}; make test-cluster compares what any other one prints",
    ),
]


@pytest.fixture(scope="module", params=RELEASES)
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Outputs]]:
    """The release, and all that kubectl prints of a sandbox that speaks as it."""
    with sandbox(speed=20, seed="empty", knative=request.param) as box:
        config = box.kubeconfig(tmp_path_factory.mktemp("kubectl") / "config")
        yield request.param, outputs(config, commands())


def test_every_command_prints_what_it_prints_of_a_real_cluster(shown: tuple[str, Outputs]) -> None:
    release, printed = shown
    real = recorded(release)[1]
    assert real.keys() == printed.keys()
    assert disagreements(real, printed) == {}


def test_every_listed_difference_is_there(shown: tuple[str, Outputs]) -> None:
    release, printed = shown
    sides = {SANDBOX: printed, REAL: recorded(release)[1]}
    unused = [
        each
        for each in DIFFERENCES
        if not each.is_rare
        and not any(
            each.leaves_out(command, line, side)
            for side, found in sides.items()
            for command, lines in found.items()
            for line in lines
        )
    ]
    assert unused == []


def test_the_commands_of_the_documents_are_among_them() -> None:
    written = of_the_documents()
    assert written
    assert set(written) <= {each.text for each in commands()}


def test_a_line_that_differs_is_told() -> None:
    real = {"get ksvc": ["exit code 0", "NAME  READY", "hello  True"]}
    assert disagreements(real, {"get ksvc": ["exit code 0", "NAME  READY", "hello  False"]}) == {
        "get ksvc": ["-hello  True", "+hello  False"]
    }


def test_less_is_enough_of_a_command_about_kinds_but_nothing_else() -> None:
    real = {"api-versions": ["apps/v1", "batch/v1", "v1"]}
    assert disagreements(real, {"api-versions": ["apps/v1", "v1"]}) == {}
    assert disagreements(real, {"api-versions": ["apps/v2", "v1"]}) == {"api-versions": ["+apps/v2"]}


@pytest.mark.parametrize("reason", [each.reason for each in DIFFERENCES])
def test_the_document_tells_each_difference(reason: str) -> None:
    assert reason in DOCUMENT.read_text()


def test_the_quick_ones_are_among_all() -> None:
    assert {each.text for each in quick()} <= {each.text for each in commands()}
