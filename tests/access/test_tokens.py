"""Personal tokens: their form, what is kept of them, what they allow and when they stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from console.access import bearer, tokens
from console.access.actors import Actor
from console.access.bearer import NotAccepted, Why, token_of
from console.access.models import ApiToken, Membership, User
from console.access.permissions import Permission
from console.access.tokens import NotOffered
from console.audit.models import Entry
from console.knative.references import ServiceRef

SHOP, OTHER = ServiceRef("box", "default", "shop"), ServiceRef("box", "other", "shop")


@pytest.fixture(autouse=True)
def no_wrong_tokens_yet() -> None:
    cache.clear()


def issue(user: User, **wanted) -> tuple[ApiToken, str]:
    facts = {"name": "board", "permissions": ["view"], "cluster": "*", "namespace": "*", "days": 30, **wanted}
    return tokens.issue(user, **facts, actor=Actor(user.pk, user.username, "192.0.2.7", "request-1"))


def request(text: str, scheme: str = "Bearer", **where):
    return RequestFactory().get("/api/v1/services", headers={"Authorization": f"{scheme} {text}"}, **where)


def why_not(text: str, **where) -> Why:
    with pytest.raises(NotAccepted) as refusal:
        token_of(request(text, **where))
    return refusal.value.why


def test_a_token_is_recognised_by_its_form_and_its_checksum() -> None:
    texts = {tokens.new_text() for _ in range(50)}
    assert len(texts) == 50
    for text in texts:
        assert text.startswith("sluice_")
        assert text.removeprefix("sluice_").isalnum()
        assert tokens.is_well_formed(text)


@given(st.integers(0, 52), st.sampled_from(tokens.ALPHABET))
def test_a_typing_error_is_seen_without_the_database(at: int, letter: str) -> None:
    text = "sluice_" + "a1B2c3D4e5" * 4
    text += tokens._checksum(text.removeprefix("sluice_"))
    wrong = text[:at] + letter + text[at + 1 :]
    assert tokens.is_well_formed(wrong) == (wrong == text)


@given(st.text(max_size=80))
def test_no_other_text_is_taken_for_a_token(text: str) -> None:
    assert not tokens.is_well_formed(text)


def test_the_text_of_a_token_is_kept_nowhere(people) -> None:
    token, text = issue(people["viewer"])
    secret = text[len(token.prefix) :]
    assert token.digest == tokens.digest(text)
    assert text.startswith(token.prefix)
    for kept in (ApiToken, Entry):
        assert secret not in str(list(kept.objects.values()))


def test_making_and_revoking_are_in_the_audit_log(people) -> None:
    token, _text = issue(people["auditor"], permissions=["view", "audit"], namespace="team-*")
    tokens.revoke(token, actor=Actor(None, "root"))
    made, ended = Entry.objects.order_by("sequence")
    assert (made.action, made.outcome, made.actor, made.ip) == ("token.create", "succeeded", "auditor", "192.0.2.7")
    assert f"board ({token.prefix}…), audit, view on */team-*, until" in made.text
    assert (ended.action, ended.actor, ended.text) == ("token.revoke", "root", f"board ({token.prefix}…) of auditor")
    assert not tokens.revoke(token, actor=Actor(None, "root"))
    assert Entry.objects.count() == 2


@pytest.mark.parametrize("days", [0, 366])
def test_no_token_lasts_longer_than_the_settings_allow(people, days: int) -> None:
    with pytest.raises(NotOffered):
        issue(people["viewer"], days=days)


@pytest.mark.parametrize("permissions", [["audit"], ["view", "deploy"], ["reveal"], []])
def test_nobody_gives_a_token_more_than_they_have_or_than_reading(people, permissions: list[str]) -> None:
    with pytest.raises(NotOffered):
        issue(people["viewer"], permissions=permissions)
    with pytest.raises(NotOffered):
        issue(people["administrator"], permissions=[*permissions, "deploy"])
    assert not ApiToken.objects.exists()


def test_a_token_allows_what_both_its_scope_and_its_person_allow(people) -> None:
    token, _text = issue(people["auditor"], permissions=["view", "audit"], namespace="default")
    rights = tokens.rights_with(token)
    assert rights.on(SHOP, {}) == {Permission.VIEW, Permission.AUDIT}
    assert rights.on(OTHER, {}) == frozenset()  # neither
    narrow = tokens.rights_with(issue(people["auditor"], namespace="team-*")[0])
    assert narrow.on(SHOP, {}) == frozenset()  # the person, not the scope
    wide = tokens.rights_with(issue(people["administrator"])[0])
    assert wide.on(OTHER, {}) == {Permission.VIEW}
    assert not wide.is_administrator


def test_a_grant_that_is_taken_away_is_gone_from_the_token_too(people) -> None:
    token, text = issue(people["viewer"])
    assert tokens.rights_with(token_of(request(text))).allows(Permission.VIEW, SHOP)
    Membership.objects.filter(user=people["viewer"]).delete()
    assert not tokens.rights_with(token_of(request(text))).allows(Permission.VIEW, SHOP)
    assert token.state == "active"


def test_what_a_database_says_of_a_tokens_permissions_is_cut_to_reading(people) -> None:
    token, text = issue(people["administrator"])
    ApiToken.objects.filter(id=token.id).update(permissions=["view", "reveal", "delete"])
    assert tokens.rights_with(token_of(request(text))).on(SHOP, {}) == {Permission.VIEW}


def test_a_revoked_token_is_refused_at_the_next_request(people) -> None:
    token, text = issue(people["viewer"])
    assert token_of(request(text)) == token
    tokens.revoke(token, actor=Actor(None, "root"))
    assert why_not(text) == Why.REVOKED


def test_an_expired_token_and_one_of_a_deactivated_person_are_refused(people) -> None:
    token, text = issue(people["viewer"])
    ApiToken.objects.filter(id=token.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert why_not(text) == Why.EXPIRED
    ApiToken.objects.filter(id=token.id).update(expires_at=timezone.now() + timedelta(days=1))
    User.objects.update(is_active=False)
    assert why_not(text) == Why.INACTIVE


def provider_account(user, days_ago: float) -> None:
    account = SocialAccount.objects.create(user=user, provider="oidc", uid=user.username)
    SocialAccount.objects.filter(pk=account.pk).update(last_login=timezone.now() - timedelta(days=days_ago))


@pytest.mark.parametrize(("days_ago", "accepted"), [(29.9, True), (30.1, False)])
def test_a_token_rests_while_its_person_does_not_come_back_from_the_identity_provider(
    people, days_ago: float, accepted: bool
) -> None:
    _token, text = issue(people["viewer"])
    User.objects.update(password="!")
    provider_account(people["viewer"], days_ago)
    if accepted:
        assert token_of(request(text)).user == people["viewer"]
    else:
        assert why_not(text) == Why.SIGN_IN
        SocialAccount.objects.get().save()  # as a sign-in does
        assert token_of(request(text)).user == people["viewer"]


def test_a_password_here_keeps_tokens_without_the_provider(people) -> None:
    _token, text = issue(people["viewer"])
    people["viewer"].set_password("right-password-1")
    people["viewer"].save()
    provider_account(people["viewer"], 300)
    assert token_of(request(text)).user == people["viewer"]


def test_a_token_that_has_ended_shuts_out_no_other_token_of_its_address(people) -> None:
    token, dead = issue(people["viewer"])
    _other, text = issue(people["viewer"])
    tokens.revoke(token, actor=Actor(None, "root"))
    for _ in range(bearer.MAX_WRONG + 5):
        assert why_not(dead) == Why.REVOKED
    assert token_of(request(text)).user == people["viewer"]


def test_a_script_that_keeps_sending_one_unknown_token_shuts_out_no_other_of_its_address(people) -> None:
    """A token of before a restore, or of somebody who is gone: one guess at most."""
    _other, text = issue(people["viewer"])
    unknown = tokens.new_text()
    for _ in range(bearer.MAX_WRONG + 5):
        assert why_not(unknown) == Why.UNKNOWN
    assert token_of(request(text)).user == people["viewer"]


def test_a_demo_users_token_opens_the_demo_only(people, settings) -> None:
    _token, text = issue(people["viewer"])
    User.objects.update(is_demo=True)
    settings.DEMO = True
    assert token_of(request(text)).user == people["viewer"]
    settings.DEMO = False
    assert why_not(text) == Why.INACTIVE


def test_a_token_comes_in_its_header_only(people) -> None:
    _token, text = issue(people["viewer"])
    assert why_not("") == Why.MISSING
    for wrong in (request(text, scheme="Basic"), request(text, scheme="Token")):
        with pytest.raises(NotAccepted, match="token-missing"):
            token_of(wrong)
    query = RequestFactory().get("/api/v1/services", {"token": text, "access_token": text})
    with pytest.raises(NotAccepted, match="token-missing"):
        token_of(query)
    assert token_of(request(text, scheme="bearer")).user == people["viewer"]


def test_a_dead_token_leaves_one_entry_however_often_it_comes(people) -> None:
    token, text = issue(people["viewer"])
    tokens.revoke(token, actor=Actor(None, "root"))
    for _ in range(5):
        assert why_not(text, REMOTE_ADDR="192.0.2.9") == Why.REVOKED
    [refused] = Entry.objects.filter(action="token.refused")
    assert (refused.outcome, refused.actor, refused.ip) == ("refused", "viewer", "192.0.2.9")
    assert refused.text == f"board ({token.prefix}…): token-revoked, GET /api/v1/services"


def test_too_many_wrong_tokens_lock_their_address_alone(people) -> None:
    _token, text = issue(people["viewer"])
    for _ in range(bearer.MAX_WRONG):
        assert why_not(tokens.new_text(), REMOTE_ADDR="192.0.2.66") == Why.UNKNOWN
    assert why_not(text, REMOTE_ADDR="192.0.2.66") == Why.TOO_MANY
    assert token_of(request(text, REMOTE_ADDR="192.0.2.67")).user == people["viewer"]


def test_use_is_noted_once_a_minute(people, django_assert_num_queries) -> None:
    token, text = issue(people["viewer"])
    token_of(request(text, REMOTE_ADDR="192.0.2.8"))
    token.refresh_from_db()
    first = token.last_used_at
    assert (first is not None, token.last_used_ip) == (True, "192.0.2.8")
    with django_assert_num_queries(2):
        token_of(request(text, REMOTE_ADDR="192.0.2.9"))
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    token_of(request(text, REMOTE_ADDR="192.0.2.9"))
    token.refresh_from_db()
    assert token.last_used_ip == "192.0.2.9"
