"""A known vulnerability fails the tier, and not being able to ask is never told as a clean bill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.version import Version

from tests import audit_dependencies
from tests.audit_dependencies import LISTS, ROOT, Unanswered, below, pins, read

CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
KNOWN = {"name": "h11", "version": "0.15", "vulns": [{"id": "CVE-2025-43859", "fix_versions": ["0.16.0"]}]}
UNKNOWN = {"name": "yarl", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def test_a_known_vulnerability_is_a_finding() -> None:
    assert read(json.dumps({"dependencies": [CLEAN, KNOWN]}), "") == ["h11 0.15: CVE-2025-43859, fixed in 0.16.0"]


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (json.dumps({"dependencies": [CLEAN, UNKNOWN]}), "nothing of 1 of 2"),
        (json.dumps({"dependencies": []}), "nothing of 0 of 0"),
        ("", "ConnectionError"),
    ],
)
def test_a_service_that_knows_not_every_package_has_not_answered(output: str, why: str) -> None:
    with pytest.raises(Unanswered, match=why):
        read(output, "Traceback\nConnectionError: refused\n")


def test_the_table_finds_an_older_pin_and_no_other() -> None:
    table = {"h11": ["0.16.0", "CVE-2025-43859"], "absent": ["1", "x"]}
    assert below({"h11": Version("0.15")}, table) == ["h11 0.15: fixed in 0.16.0 (CVE-2025-43859)"]
    assert below({"h11": Version("0.16.0")}, table) == []


def test_without_an_answer_a_banner_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def unanswered() -> tuple[str, list[str]]:
        raise Unanswered("pypi: refused; osv: refused")

    monkeypatch.setattr(audit_dependencies, "asked", unanswered)
    monkeypatch.setattr(audit_dependencies, "NOT_ASKED", tmp_path / "artifacts" / "not-asked")
    assert audit_dependencies.main() == 0
    assert "!!! NO ADVISORY SERVICE ANSWERED (pypi: refused; osv: refused)" in capsys.readouterr().out
    assert "!!! NO ADVISORY SERVICE ANSWERED" in audit_dependencies.NOT_ASKED.read_text()


def test_every_pin_is_read() -> None:
    found = pins((ROOT / name).read_text() for name in LISTS)
    assert len(found) > 100
    assert found["django"] >= Version("5.2")
