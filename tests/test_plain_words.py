"""Documents and code use plain English: no retired word (docs/glossary.md) in documents, comments, docstrings or names.

The texts of pages have a longer list: tests/web/test_words.py.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RETIRED = (
    # metaphors
    r"rooms?",
    r"houses?",
    r"doors?",
    r"pulses?",
    r"breaths?",
    r"(?<!break[_-])(?<!broke_)(?<!broken_)glass",  # a stored column, and the audit action of version 0.1
    r"last words",
    # translated English
    r"anew",
    r"afresh",
    r"whoever",
    r"for ever",
    r"stands?",
    r"stood",
    r"standing",
    r"goes on",
    r"go on",
    # MAX_ is for upper bounds
    r"MOST_(?!common)\w+",
)
# Names consist of words too, so an underscore separates; a phrase may be wrapped.
_RETIRED = re.compile(
    r"(?<![A-Za-z])(?:" + "|".join(term.replace(" ", r"[\s_]+") for term in RETIRED) + ")(?![A-Za-z])", re.IGNORECASE
)
RETENTION = {
    ("console/operations/engine/cluster_events.py", "glass"),
    ("console/operations/queries.py", "GLASS"),
    ("console/operations/rights/relabelling.py", "anew"),
    ("docs/architecture.md", "afresh"),
    ("docs/architecture.md", "stands"),
}  # still to be renamed; a line goes with its word


def sources() -> Iterator[Path]:
    """The documents, the file that make reads, the names of import contracts, and all code of the console."""
    yield from (ROOT / "Makefile", ROOT / "pyproject.toml")
    for folder, pattern in ((ROOT, "*.md"), (ROOT / "docs", "**/*.md"), (ROOT / "console", "**/*.py")):
        yield from folder.glob(pattern)


def retired_words(text: str) -> list[tuple[int, str]]:
    """The retired words of a text, each with the number of its line."""
    return [(text.count("\n", 0, found.start()) + 1, found[0]) for found in _RETIRED.finditer(text)]


def test_no_document_and_no_code_has_a_retired_word() -> None:
    found = [
        f"{name}:{line}: {word}"
        for path in sources()
        for line, word in retired_words(path.read_text())
        if ((name := path.relative_to(ROOT).as_posix()), word) not in RETENTION
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "# the rooms of this house",
        '"""Break the glass."""',
        "def read_anew():",
        "GLASS_SHOWN = 7",
        "for\n    ever",
        "MOST_rows = 5",
        "Whoever asks",
        "def goes_on():",
    ],
)
def test_a_retired_word_is_found(text: str) -> None:
    assert retired_words(text)


@pytest.mark.parametrize(
    "text", ["broke_glass", "protect.break-glass", "counter.most_common(20)", "standard", "outdoors"]
)
def test_a_word_that_only_looks_like_one_is_left_alone(text: str) -> None:
    assert retired_words(text) == []
