"""docs/compatibility.md says what the runs reported, of every module that runs on releases of Knative."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compatibility import CAPABILITIES, DOCUMENT, Ran, document, read
from tests.contract.differences import DIFFERENCES

TESTS = Path(__file__).parent
OF_NO_RELEASE = {
    "tests.contract.test_differences",
    "tests.real_cluster.test_node",
    "tests.real_cluster.test_supervisor",
}
WRITING, STORY = "tests.contract.test_writing", "tests.real_cluster.test_story"
REPORT = f"""<testsuites><testsuite>
<testcase classname="{WRITING}" name="test_a[1.15]"/>
<testcase classname="{WRITING}" name="test_a[1.23-two]"><failure message="no"/></testcase>
<testcase classname="{WRITING}" name="test_b[1.23-two]"/>
<testcase classname="{STORY}" name="test_c[1.23]"><skipped/></testcase>
<testcase classname="tests.real_cluster.test_node" name="test_d"/>
</testsuite></testsuites>"""


def test_every_module_that_runs_on_releases_says_what_it_proves() -> None:
    modules = {f"tests.{folder}.{file.stem}" for folder in ("contract", "real_cluster")
               for file in (TESTS / folder).glob("test_*.py")}  # fmt: skip
    assert modules - OF_NO_RELEASE == CAPABILITIES.keys()


def test_what_failed_or_was_skipped_has_not_passed(tmp_path: Path) -> None:
    report = tmp_path / "contract-real.xml"
    report.write_text(REPORT)
    assert list(read(report)) == [
        Ran("test_a[1.15]", WRITING, "real", "1.15", True),
        Ran("test_a[1.23-two]", WRITING, "real", "1.23", False),
        Ran("test_b[1.23-two]", WRITING, "real", "1.23", True),
        Ran("test_c[1.23]", STORY, "real", "1.23", False),
    ]


def test_a_cell_counts_what_passed_of_what_ran_and_is_empty_where_nothing_did() -> None:
    again = [Ran("a", WRITING, "real", "1.15", passed) for passed in (False, True)]  # the last run counts
    told = document([*again, Ran("b", WRITING, "real", "1.23", False)])
    row = next(line for line in told.splitlines() if "test_writing.py" in line)
    assert row == f"| {CAPABILITIES[WRITING]} | 1 of 1 | 0 of 1 |  |  | `tests/contract/test_writing.py` |"


def test_a_module_that_says_nothing_of_itself_is_not_left_out() -> None:
    with pytest.raises(KeyError):
        document([Ran("a", "tests.contract.test_new", "real", "1.23", True)])


def test_the_document_has_every_capability_and_every_difference() -> None:
    told = DOCUMENT.read_text()
    rows = [*CAPABILITIES.values(), *(one.case for one in DIFFERENCES)]
    assert [row for row in rows if f"| {row} |" not in told] == []
