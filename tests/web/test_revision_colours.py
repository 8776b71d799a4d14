"""A revision has one colour everywhere, unlike its neighbours', and strong enough to be seen in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from console.knative.objects import Revision
from console.knative.traffic import TrafficTarget
from console.web.revision_colours import COLOURS, colour_of
from console.web.templatetags.sluice import revision_colour
from tests import factories

CSS = Path(__file__).parent.parent.parent / "static/css/colours.css"
MIN_CONTRAST = 3.0  # WCAG 1.4.11: graphical objects


def bar(*shares: tuple[str, int]) -> list[str]:
    """The classes in a bar of these shares: of its parts, then of the swatches beside the names."""
    targets = [TrafficTarget(revision=name, percent=percent) for name, percent in shares]
    return re.findall(r"\brev-\d", render_to_string("_traffic_bar.html", {"shares": targets, "of": "hello"}))


def test_a_revision_keeps_its_colour_when_its_place_in_the_split_changes() -> None:
    first, second = colour_of("hello-00001"), colour_of("hello-00002")
    assert first != second
    assert bar(("hello-00001", 90), ("hello-00002", 10)) == [first, second, first, second]
    assert bar(("hello-00002", 50), ("hello-00001", 50)) == [second, first, second, first]


def test_neighbouring_generations_never_share_a_colour() -> None:
    colours = [colour_of(f"hello-{generation:05}") for generation in range(99_990, 100_030)]
    for place in range(len(colours) - COLOURS):
        assert len(set(colours[place : place + COLOURS])) == COLOURS


@pytest.mark.parametrize("name", ["hello-release-7", "hello", "", "你好", "x" * 63, "hello-00001-canary"])
def test_a_revision_that_a_person_named_has_a_colour_too(name: str) -> None:
    assert re.fullmatch(r"rev-[0-7]", colour_of(name))
    assert colour_of(name) == colour_of(name)


def test_the_filter_takes_a_revision_or_its_name() -> None:
    revision = Revision(factories.revision("hello", 3))
    assert revision_colour(revision) == revision_colour("hello-00003") == colour_of("hello-00003")


def theme(name: str) -> dict[str, str]:
    """The colours of a theme by custom property."""
    block = CSS.read_text(encoding="utf-8").partition(f'[data-bs-theme="{name}"] {{')[2].partition("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))


def luminance(colour: str) -> float:
    """The relative luminance of a colour, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("name", ["light", "dark"])
def test_each_colour_is_seen_on_every_ground_of_the_theme(name: str) -> None:
    colours = theme(name)
    for ground in ("paper", "ground", "sunken"):
        for number in range(COLOURS):
            pair = sorted(luminance(colours[one]) for one in (ground, f"revision-{number}"))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= MIN_CONTRAST, (ground, number)
    assert len({colours[f"revision-{number}"] for number in range(COLOURS)}) == COLOURS
