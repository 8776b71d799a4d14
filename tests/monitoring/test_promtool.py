"""promtool accepts the rules, and every alert fires and is silent as rules.test.yaml says."""

from __future__ import annotations

import subprocess

import pytest

from tests.monitoring.files import FOLDER


@pytest.mark.parametrize(
    "words", [["check", "rules", "rules.yaml"], ["test", "rules", "rules.test.yaml"]], ids=" ".join
)
def test_promtool_is_content(words: list[str]) -> None:
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
