"""Signing in as a browser does, each person from an address of their own, with what each has to prove who they are."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from allauth.core.context import request_context
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.internal.flows.login import complete_login
from allauth.socialaccount.models import SocialAccount, SocialLogin, SocialToken
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.session import SessionStorage
from django.test import Client, RequestFactory

from console.access.models import User
from tests.audit.month.people import PASSWORD, People
from tests.audit.month.truth import Act, Place

PROVIDER = "https://id.example.com"
SIGN_IN, SECOND = "/accounts/login/", "/accounts/2fa/authenticate/"


@dataclass
class SignIns:
    """Who signs in."""

    people: People

    def __post_init__(self) -> None:
        self._addresses = itertools.count(1)

    def by_password(self, who: str) -> Client:
        client = self._client(who)
        answer = client.post(SIGN_IN, {"login": self._name(who), "password": PASSWORD.format(who)})
        assert answer.status_code == 302, answer.content
        self.people.act(who, "session.sign-in", "password")
        return client

    def with_second_factor(self, who: str) -> Client:
        """With a password and a recovery code: an app's code counts once in 30 seconds of the real clock."""
        user = self.people.users[who]
        TOTP.activate(user, generate_totp_secret())
        code = RecoveryCodes.activate(user).get_unused_codes()[0]
        client = self._client(who)
        client.post(SIGN_IN, {"login": user.username, "password": PASSWORD.format(who)})
        self.people.clock.tick(10)
        answer = client.post(SECOND, {"code": code})
        assert answer.status_code == 302, answer.content
        self.people.act(who, "session.sign-in", "recovery_codes")
        return client

    def by_provider(self, who: str, groups: list[str]) -> None:
        """The identity provider says who it is and in which groups: what happens then, without the way there."""
        claims = {"sub": who, "preferred_username": who, "groups": groups}
        account = SocialAccount(provider=PROVIDER, uid=who, extra_data={"userinfo": claims, "id_token": claims})
        request = RequestFactory().get("/accounts/oidc/login/callback/", REMOTE_ADDR=f"192.0.2.{200 + len(who)}")
        request.session, request.user = Client().session, AnonymousUser()
        request._messages = SessionStorage(request)
        with request_context(request):
            complete_login(
                request, SocialLogin(User(), account, token=SocialToken(account=account, token="hint")), raises=True
            )
        self.people.provider_says(request.user, groups)
        self.people.act(who, "session.sign-in", "oidc")

    def reads_the_log(self, who: str) -> None:
        """Twice in one hour, which is one entry and a number."""
        client = self.by_password(who)
        self.people.clock.tick(60)
        self.people.act(who, "read.audit")
        for _ in range(2):
            assert client.get("/audit/").status_code == 200
            self.people.clock.tick(60)

    def reads_logs(self, who: str, place: Place) -> None:
        """What a revision's containers print."""
        client = self.by_password(who)
        self.people.clock.tick(60)
        address = f"/services/{place}/revisions/{place.name}-00001/logs/"
        assert client.get(address).status_code == 200
        self.people.act(who, "read.logs", f"{place.name}-00001", place=place)

    def fail(self, name: str) -> None:
        """Somebody tries this name with a wrong password."""
        client = Client(REMOTE_ADDR=f"203.0.113.{next(self._addresses)}")
        client.post(SIGN_IN, {"login": name, "password": "a-wrong-password"})
        self.people.truth.acts.append(Act(self.people.clock.now, name, None, "session.sign-in", "refused"))

    def _client(self, who: str) -> Client:
        return Client(REMOTE_ADDR=self.people.actor(who).ip)

    def _name(self, who: str) -> str:
        return self.people.users[who].username
