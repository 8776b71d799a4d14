"""A change whose cluster is away: the form stays as it was typed, with the reason above it."""

from __future__ import annotations

import pytest

from console.operations.models import Preview
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]


def away(shown: Shown) -> None:
    for _attempt in range(4):
        shown.world.box.fault(verb="get", resource="services", code=503, message="the server is away")


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_what_was_typed_stays_on_the_page_and_can_be_sent_again(shown: Shown, headers: dict[str, str]) -> None:
    away(shown)
    page = shown.client.post(f"{shown.path}operate/", {"what": "scale", "min": "3"}, headers=headers)
    assert page.status_code == 503
    text = read(page).text
    assert "Try again in a moment." in text
    assert "Review changes" in text
    assert "That did not work" not in text
    assert 'name="min" value="3"' in page.content.decode()
    assert not Preview.objects.exists()
    again = shown.client.post(f"{shown.path}operate/", {"what": "scale", "min": "3"}, headers=headers)
    assert again.status_code == 200, read(again).text


def test_a_service_that_is_gone_is_still_a_page_of_its_own(shown: Shown) -> None:
    shown.world.delete(shown.name)
    page = shown.client.post(f"{shown.path}operate/", {"what": "scale", "min": "3"})
    assert page.status_code == 404
