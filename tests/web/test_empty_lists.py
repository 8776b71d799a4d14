"""A list that has nothing to show says so in one sentence, without headings, and leads on."""

from __future__ import annotations

import re

import pytest

from console.access.models import Grant, Membership, Team
from tests.web.pages import read

LISTS = [
    ("/approvals/", "Nothing is waiting for your approval.", "/operations/"),
    ("/protection/", "No rules: every change is written as soon as it is submitted.", "/protection/rule/new/"),
    ("/protection/", "No freeze windows.", "/protection/window/new/"),
    ("/tokens/", "No tokens yet.", "/tokens/new/"),
    ("/tokens/?q=nothing", "No tokens match this filter.", "/tokens/"),
    ("/audit/?q=nothing", "No matching entries.", "/audit/"),
    ("/audit/summary/", "No changes in this period.", "/audit/"),
    ("/teams/?q=nothing", "No matching teams.", "/teams/"),
    ("/teams/people/?q=nothing", "No matching people.", "/teams/people/"),
    ("/services/bulk/?q=nothing", "No services match this filter.", "/services/bulk/"),
]


@pytest.mark.parametrize(("address", "sentence", "leads_to"), LISTS)
def test_an_empty_list_says_what_is_missing_and_where_to_go(
    client, mirror, people, address: str, sentence: str, leads_to: str
) -> None:
    client.force_login(people["administrator"])
    page = client.get(address).content.decode()
    state = next(
        part.partition("</div>")[0] for part in page.split('<div class="empty-state">')[1:] if sentence in part[:400]
    )
    assert f'href="{leads_to}"' in state
    before = page.partition(state)[0]
    assert before.count("<table") == before.count("</table>"), "no headings over nothing"


def test_a_team_without_members_and_grants_leads_to_the_fields_that_add_some(client, mirror, people) -> None:
    team = Team.objects.get(name="strangers")
    Membership.objects.filter(team=team).delete()
    Grant.objects.filter(team=team).delete()
    client.force_login(people["administrator"])
    page = client.get(f"/teams/{team.pk}/").content.decode()
    for field in re.findall(r'<div class="empty-state">.*?href="#([^"]+)"', page, re.DOTALL):
        assert f'id="{field}"' in page
    assert page.count('<div class="empty-state">') == 2


def test_somebody_without_a_team_is_led_to_what_they_may(client, mirror, people) -> None:
    client.force_login(people["nobody"])
    answer = read(client.get("/teams/"))
    assert "You are not in a team yet." in answer.text
    assert "/teams/why/" in answer.links
