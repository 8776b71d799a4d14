"""What the documents name is there: tests, modules with what is in them, and targets of make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [path for top in ("console", "tests") for path in (ROOT / top).rglob("*.py")]
SOURCE = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in MODULES}
TESTS = {name for text in SOURCE.values() for name in re.findall(r"def (test_\w+)", text)}
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@each_document
def test_a_document_names_tests_and_targets_that_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    modules = {Path(name).stem for name in SOURCE}
    assert set(re.findall(r"\btest_\w+", text)) - TESTS - modules == set()
    assert set(re.findall(r"(?:`|^ {4})make ([a-z][\w-]*)", text, re.MULTILINE)) - TARGETS == set()


@each_document
def test_a_document_names_modules_that_are_there(path: Path) -> None:
    """By the end of their path, as `web/causes.py`; with `::name`, the module defines it."""
    for name, defined in re.findall(r"`(\w[\w/]*\.py)(?:::(\w+))?`", path.read_text(encoding="utf-8")):
        found = [text for module, text in SOURCE.items() if f"/{module}".endswith(f"/{name}")]
        assert found or (ROOT / name).exists(), name
        assert not defined or any(re.search(rf"(?:def|class) {defined}\b|^{defined}\b", text, re.M) for text in found)
