"""One look for one thing on every page: the pill of a state, and three kinds of button."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from console.knative.objects import Health
from console.operations.models.statuses import Status
from console.web.states import STATES, Tone, state
from console.web.words import OUTCOMES

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
KINDS = {"btn-primary", "btn-secondary", "btn-danger"}
ICONS = (ROOT / "static/icons/icons.css").read_text()


@pytest.mark.parametrize("code", [*Status.values, *(health.value for health in Health), *OUTCOMES])
def test_every_status_health_and_outcome_has_a_look_of_its_own(code: str) -> None:
    assert code in STATES


@pytest.mark.parametrize("code", STATES)
def test_every_state_has_an_icon_that_exists_and_a_capitalised_word(code: str) -> None:
    found = state(code)
    assert f".bi-{found.icon}:" in ICONS
    with translation.override("en"):
        assert str(found.word)[:1].isupper()


def test_a_code_that_nobody_knows_is_shown_as_it_is() -> None:
    shown = render_to_string("_state.html", {"state": "<odd>"})
    assert "&lt;odd&gt;" in shown
    assert "state-unknown" in shown


def test_a_state_with_a_word_of_its_own_keeps_icon_and_color() -> None:
    shown = render_to_string("_state.html", {"state": "stale", "word": "90 s old"})
    assert "90 s old" in shown
    assert "state-warning" in shown


def test_a_pill_is_colored_by_its_tone_and_by_nothing_else() -> None:
    """`unknown` is the color of a pill without a rule of its own."""
    colored = re.findall(r"\.state-([\w-]+)", (ROOT / "static/css/panels.css").read_text())
    assert sorted(colored) == sorted(set(get_args(Tone)) - {"unknown"})


def test_the_pill_is_written_in_one_template_only() -> None:
    pill = re.compile(r'class="state[ "]')
    assert [path.name for path in TEMPLATES if pill.search(path.read_text())] == ["_state.html"]


CLASSES = re.compile(r'class="([^"]*)"')
TAGS = re.compile(r"{%.*?%}|{{.*?}}")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_button_is_primary_secondary_or_a_danger(path: Path) -> None:
    for found in CLASSES.findall(path.read_text()):
        names = set(TAGS.sub(" ", found).split())
        assert not names & {"action", "quiet", "btn-outline"}, found
        assert "btn" not in names or names & KINDS, found
