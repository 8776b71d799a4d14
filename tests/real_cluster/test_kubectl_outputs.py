"""What is recorded of kubectl's output, which the sandbox is held to (tests/kubectl), is what a real cluster prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.kubectl.commands import commands
from tests.kubectl.differences import REAL, disagreements
from tests.kubectl.record import recorded
from tests.kubectl.running import minor_version, outputs
from tests.real_cluster.control_plane import ControlPlane
from tests.sandbox_process import sandbox

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed"),
]


def test_kubectl_prints_of_the_sandbox_what_it_prints_of_a_real_cluster(
    box: ControlPlane, release: str, tmp_path: Path
) -> None:
    """With whatever kubectl is here; that of the recording has to print what was recorded, too."""
    real = outputs(box.kubeconfig(tmp_path / "real"), commands())
    with sandbox(speed=20, seed="empty", knative=release) as small:
        assert disagreements(real, outputs(small.kubeconfig(tmp_path / "sandbox"), commands())) == {}
    version, before = recorded(release)
    if minor_version() == version:
        assert disagreements(before, real, REAL) == {}
