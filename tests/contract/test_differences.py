"""No difference without its reason, nor untold in the documentation."""

from pathlib import Path

from tests.contract.differences import DIFFERENCES

DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_every_difference_is_told_to_the_sandboxs_users() -> None:
    told = DOCUMENT.read_text().partition("## Known differences in the contract suite")[2]
    assert [one.case for one in DIFFERENCES if one.case not in told] == []
    assert all(one.reason for one in DIFFERENCES)


def test_every_difference_is_asked_for_once() -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [one.case for one in DIFFERENCES if f'"{one.case}"' not in sources] == []
