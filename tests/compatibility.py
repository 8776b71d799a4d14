"""docs/compatibility.md, made from what the test runs reported: `python -m tests.compatibility REPORT.xml...`

The reports are those of `make test-cluster` (test-artifacts/*.xml). A row is a test module, a column what it ran on. A
test that failed or was skipped is counted as not passed; a module that did not run on a release says so.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.contract.differences import DIFFERENCES
from tests.real_cluster.releases import RELEASES

DOCUMENT = Path(__file__).parents[1] / "docs" / "compatibility.md"
SANDBOX = "sandbox"
REAL = "real"
# What a test module proves, in the order of the table.
CAPABILITIES = {
    "tests.contract.test_reading": "Lists, pages, selectors, watches and bookmarks",
    "tests.contract.test_writing": "Creates, updates, patches, deletes, dry runs and ownership",
    "tests.contract.test_refusals": "Refusals of the API and of Knative's webhook, in their words",
    "tests.contract.test_sequences": "The conditions of a Service through its life",
    "tests.contract.test_places": "Paths, methods, kinds and users in the wrong place",
    "tests.contract.test_tables": "What kubectl get prints: columns and cells",
    "tests.contract.test_core_kinds": "Kubernetes' own kinds, and what Knative makes in them",
    "tests.contract.test_warnings": "Warnings of unsafe defaults",
    "tests.contract.test_field_owners": "Who owns a field after which write",
    "tests.contract.test_apply": "Server-side apply: who owns which field, conflicts, force",
    "tests.contract.test_rights": "RBAC, impersonation and access reviews",
    "tests.contract.test_releases": "What differs between the releases",
    "tests.real_cluster.test_kubectl_outputs": "What kubectl prints, whole, line by line",
    "tests.real_cluster.test_webhook": "Defaults and refusals of generated objects, by Knative's own code",
    "tests.real_cluster.test_story": "The console's story in a browser: update, split, roll back, restart, failure",
    "tests.real_cluster.test_restart": "Updates through crashes of the API server and of Knative's controller",
    "tests.real_cluster.test_impersonation": "Changes under the person's own rights",
    "tests.real_cluster.test_causes": "Quota, policies and defaults, read and named",
    "tests.real_cluster.test_scale": "Pods: scale to zero, cold start, splits answered by revision, crashes, pulls",
    "tests.real_cluster.test_deployment": "deploy/kubernetes under its own service account",
    "tests.real_cluster.test_overhead": "The console's time beside the API's own",
}
_RELEASE = re.compile(r"\[(\d+\.\d+)[-\]]")
_HEAD = """# What the console is tried on

Made by the runs: `make test-cluster` runs these tests and writes this file (tests/compatibility.py). Each cell is the
number of tests that passed, and of those that ran. "Knative" is Knative Serving's own programs behind a real Kubernetes
1.36 ([docs/sandbox.md](sandbox.md#the-real-control-plane) says what is replaced); the sandbox is asked the same.
"""


@dataclass(frozen=True)
class Ran:
    """One test as a report tells it."""

    name: str
    module: str
    target: str
    release: str
    has_passed: bool


def read(report: Path) -> Iterator[Ran]:
    """The tests of a report that ran on some release; its name says what was asked: sandbox or real."""
    target = SANDBOX if SANDBOX in report.stem else REAL
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "")
        release = _RELEASE.search(name)
        if release:
            has_passed = not any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped"))
            yield Ran(name, case.get("classname", ""), target, release[1], has_passed)


def document(ran: Iterable[Ran]) -> str:
    """The whole file; the last run of a test counts. Raises KeyError for a module that CAPABILITIES leaves out."""
    last = {(one.name, one.module, one.target): one for one in ran}
    total: Counter[tuple[str, str, str]] = Counter()
    passed: Counter[tuple[str, str, str]] = Counter()
    for one in last.values():
        key = (CAPABILITIES[one.module], one.target, one.release)
        total[key] += 1
        passed[key] += one.has_passed
    columns = [(target, release) for target in (REAL, SANDBOX) for release in RELEASES]
    lines = [
        _row("capability", *(_heading(*column) for column in columns), "proof"),
        _row(*["---"] * (len(columns) + 2)),
    ]
    for module, capability in CAPABILITIES.items():
        keys = [(capability, *column) for column in columns]
        cells = [f"{passed[key]} of {total[key]}" if total[key] else "" for key in keys]
        lines.append(_row(capability, *cells, f"`{module.replace('.', '/')}.py`"))
    return "\n".join([_HEAD, *lines, "", *_differences(), ""])


def _heading(target: str, release: str) -> str:
    return f"Knative {RELEASES[release]}" if target == REAL else f"sandbox as {release}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _differences() -> Iterator[str]:
    """Where a test expects something else of the sandbox than of a real cluster."""
    yield "## Where the sandbox differs in these tests\n"
    yield _row("case", "reason")
    yield _row("---", "---")
    for one in DIFFERENCES:
        yield _row(one.case, one.reason)


def main(reports: list[str]) -> None:
    DOCUMENT.write_text(document(ran for report in reports for ran in read(Path(report))))


if __name__ == "__main__":
    main(sys.argv[1:])
