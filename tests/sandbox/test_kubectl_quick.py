"""A few commands of tests/kubectl, so that `make test` too compares what kubectl prints with a real Knative."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.kubectl.commands import NAMESPACE, quick
from tests.kubectl.differences import disagreements
from tests.kubectl.record import recorded
from tests.kubectl.running import minor_version, outputs
from tests.real_cluster.releases import NEWEST
from tests.sandbox_process import Sandbox

OF_KUBECTL = recorded(NEWEST)[0]
IS_RECORDED = bool(shutil.which("kubectl")) and minor_version() == OF_KUBECTL


@pytest.mark.skipif(not IS_RECORDED, reason=f"recorded with kubectl {OF_KUBECTL}, which is not installed")
def test_get_describe_and_explain_print_what_they_print_of_a_real_cluster(box: Sandbox, tmp_path: Path) -> None:
    printed = outputs(box.kubeconfig(tmp_path / "config"), quick())
    box.delete(f"/api/v1/namespaces/{NAMESPACE}")
    assert disagreements(recorded(NEWEST)[1], printed) == {}
