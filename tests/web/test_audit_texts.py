"""The texts of audit entries: what the console wrote itself is in the reader's language, what it names is as it was."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from console.web import audit_texts

ID = "3eff378a-7724-43ba-8db3-435aec472a26"
WRITTEN = {  # action, text: the facts in it, which no language changes
    ("outside.begin", "12 services"): {"12"},
    ("outside.change", "generation 299 · kubectl-edit"): {"299", "kubectl-edit"},
    ("outside.change", f"generations 4–7 · 5 is operation {ID} · not observed one by one"): {"4–7", "5", ID},
    ("outside.delete", "generation 3"): {"3"},
    ("outside.gone", "generation 3 · nothing is recorded from 2026-11-24T10:00:00+00:00 on"): {
        "3",
        "2026-11-24T10:00:00+00:00",
    },
    ("outside.unrecorded", f"generation 5 · operation {ID} by dora is not recorded"): {"5", ID, "dora"},
    ("operation.written-late", "generation 3"): {"3"},
    ("view.AccessTest", "100 requests to the tag canary"): {"100", "canary"},
    ("view.AccessTest", "1 requests"): {"1"},
    ("view.AccessTestEnd", "99 of 100 answered"): {"99", "100"},
    ("session.sign-in", "method oidc:corporate, factor totp"): {"oidc:corporate", "totp"},
    ("session.sign-out", "method passkey, factor none"): {"passkey", "none"},
    ("read.logs-more", "revision shop-00004, 3 more from 2026-11-24T10:00:00Z to 2026-11-24T10:09:00Z"): {
        "shop-00004",
        "3",
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:09:00Z",
    },
    ("read.audit", "page audit-summary"): {"audit-summary"},
    ("read.audit", "token ci (sluice_ab…)"): {"ci (sluice_ab…)"},
    ("session.revoke", "sessions: 2"): {"2"},
    ("session.revoke", "a session of dora, by the identity provider"): {"dora"},
    ("second-factor.add", "totp of dora"): {"totp", "dora"},
    ("token.revoke", "ci (slc_ab…) of dora"): {"ci (slc_ab…)", "dora"},
    ("token.create", "ci (slc_ab…): view, box/*, until 2026-12-24"): {"ci (slc_ab…): view, box/*", "2026-12-24"},
    ("reveal.Env", "TARGET, PASSWORD and 3 more"): {"TARGET, PASSWORD", "3"},
    ("view.refused", "GET /x/ (and 7 more times since the last such entry)"): {"GET /x/", "7"},
    ("manage.AddMember", "dora: Shop, by the group shop of the identity provider"): {"dora: Shop", "shop"},
}


@pytest.mark.parametrize(("action", "written"), WRITTEN)
def test_a_text_is_in_the_readers_language_and_keeps_its_facts(action: str, written: str) -> None:
    with override("zh-hans"):
        found = audit_texts.text(action, written)
    for fact in sorted(WRITTEN[action, written], key=len, reverse=True):
        assert fact in found
        found = found.replace(fact, "")
    assert not re.search("[A-Za-z]", found), found


@pytest.mark.parametrize("action", ["deploy.SetEnv", "protect.approve", "protect.rule-add"])
def test_a_text_that_a_person_wrote_stays_as_it_was(action: str) -> None:
    with override("zh-hans"):
        assert audit_texts.text(action, "generation 3 · sessions: 2") == "generation 3 · sessions: 2"
