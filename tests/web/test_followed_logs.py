"""A log that people follow: what it costs the cluster does not depend on how many look."""

from __future__ import annotations

import json

import pytest

from console.access.models import Grant, Membership, Role, Team, User
from console.operations.lookups import logs
from console.operations.lookups.looks import Looks
from tests import factories
from tests.cluster.scripted_server import answer, scripted

ADDRESS = "/services/box/default/shop/revisions/shop-00004/logs/"


def viewer(name: str) -> User:
    team = Team.objects.get_or_create(name="followers")[0]
    Grant.objects.get_or_create(team=team, role=Role.objects.get(name="viewer"))
    user = User.objects.create_user(name)
    Membership.objects.create(user=user, team=team)
    return user


@pytest.mark.parametrize(("query", "requests"), [("?follow=1", 2), ("", 10)])
def test_five_viewers_of_a_followed_log_are_two_requests_and_five_presses_are_ten(
    query: str, requests: int, client, db, mirror, settings, monkeypatch
) -> None:
    """The revision and its pods, of which it has none."""
    monkeypatch.setattr(logs, "_looks", Looks(1))
    both = [answer(factories.revision()), answer({"items": [], "metadata": {"resourceVersion": "1"}})]
    with scripted(*both * 5) as server:
        settings.CLUSTERS = json.dumps([{"name": "box", "url": server.url, "token": "t"}])
        for number in range(5):
            client.force_login(viewer(f"viewer-{number}"))
            page = client.get(f"{ADDRESS}{query}")
            assert "This revision has no pods at the moment" in page.content.decode()
        client.force_login(User.objects.create_user("stranger"))
        assert client.get(f"{ADDRESS}{query}").status_code == 404
    assert len(server.requests) == requests
