"""`python -m tests.kubectl.record [RELEASE...]`: write what kubectl prints of a real Knative, with pods."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.kubectl.commands import NAMESPACE, commands
from tests.kubectl.running import Outputs, minor_version, outputs
from tests.real_cluster.control_plane import control_plane
from tests.real_cluster.releases import RELEASES
from tests.waiting import eventually

END_SECONDS = 120
FOLDER = Path(__file__).parents[1] / "recordings"


def recorded(release: str) -> tuple[str, Outputs]:
    """The version of kubectl, and what it printed of that release."""
    read = json.loads((FOLDER / f"kubectl-{release}.json").read_text())
    return read["kubectl"], read["outputs"]


def record(release: str) -> None:
    with control_plane(release, pods=True) as box:
        found = outputs(box.kubeconfig(box.folder / "recorder"), commands())
        pods = f"/api/v1/namespaces/{NAMESPACE}/pods"  # whose node waits for their programs to end
        eventually(lambda: not json.loads(box.ask("GET", pods).data)["items"], timeout=END_SECONDS)
    body = {"kubectl": minor_version(), "outputs": found}
    (FOLDER / f"kubectl-{release}.json").write_text(json.dumps(body, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    for each in sys.argv[1:] or RELEASES:
        record(each)
