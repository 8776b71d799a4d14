"""The access review: everybody with what they may do, from where and how they sign in; and what reviewers decided.

No secret of a token, password or second factor is read here: of tokens their names, prefixes, scopes and times.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.utils import timezone

from console.access.auditing import audits_some_of, concerns, reads_everything
from console.access.authorization import Rights
from console.access.models import ApiToken, User
from console.access.rights_history import moments
from console.access.rights_history.holders import Asked, Holding, holdings
from console.access.scopes import Scope
from console.audit.models import Entry

LOCAL, PROVIDER, INVITED, FIRST, DEMO = "local", "identity-provider", "invited", "first-administrator", "demo"
SOURCES = (LOCAL, PROVIDER, INVITED, FIRST, DEMO)
ACTIVE, INACTIVE = "active", "deactivated"
AT_PROVIDER = "at-the-identity-provider"  # whether there is a second factor is not known here
TOKENS_ALONE = timedelta(days=30)  # a token was used so long after the last sign-in of its person
COLUMNS = (
    *("person", "person_id", "state", "administrator", "source", "second_factor", "teams", "grants", "tokens"),
    *("robot", "created", "last_sign_in", "tokens_last_used"),
)
# What a review is of: the rest changes from day to day without anybody's decision.
REVIEWED = COLUMNS[: COLUMNS.index("robot")]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A person with an account, and what concerns the reader of it."""

    user: User
    source: str
    factors: tuple[str, ...]
    holdings: tuple[Holding, ...]
    tokens: tuple[ApiToken, ...]

    @property
    def state(self) -> str:
        return ACTIVE if self.user.is_active else INACTIVE

    @property
    def teams(self) -> list[str]:
        """Each with what is special about the membership: `Shop (owner, until 2026-12-24T18:00Z)`."""
        return sorted({_team(one) for one in self.holdings if one.held.team})

    @property
    def grants(self) -> list[str]:
        """Each role with where it holds and by which team: `deployer on box/shop (Shop)`."""
        return [f"{one.role} on {one.scope}" + (f" ({one.team})" if one.team else "") for one in self.holdings]

    @property
    def last_use(self) -> datetime | None:
        """When one of the tokens was used last."""
        return max((token.last_used_at for token in self.tokens if token.last_used_at), default=None)

    @property
    def is_robot(self) -> bool:
        """Whether a program uses the account alone: with tokens, and without its person signing in."""
        seen = self.user.last_login
        return bool(self.tokens) and (seen is None or bool(self.last_use and self.last_use - seen > TOKENS_ALONE))

    def record(self) -> dict[str, Any]:
        """Return the row of COLUMNS, as exports have it."""
        return {
            "person": self.user.get_username(),
            "person_id": self.user.pk,
            "state": self.state,
            "administrator": self.user.is_superuser,
            "source": self.source,
            "second_factor": list(self.factors),
            "teams": self.teams,
            "grants": self.grants,
            "tokens": [_token(token) for token in self.tokens],
            "robot": self.is_robot,
            "created": _iso(self.user.date_joined),
            "last_sign_in": _iso(self.user.last_login),
            "tokens_last_used": _iso(self.last_use),
        }


def by_place(rights: Rights, asked: Asked) -> list[Holding]:
    """Return who can do what is asked now, and by which grant, as far as a person with these rights audits it."""
    if not audits_some_of(rights, asked.cluster, asked.namespace):
        return []
    return holdings(moments.current(), timezone.now(), asked, partial(concerns, rights))


def by_person(rights: Rights, asked: Asked) -> list[Reviewed]:
    """Return everybody whom the reader's audit concerns, with their rights where it is asked.

    Where a place is asked, or the reader audits a part of the namespaces, those are people who have rights there.
    """
    held: dict[int, list[Holding]] = defaultdict(list)
    for one in by_place(rights, asked):
        held[one.held.person.id].append(one)
    users = User.objects.order_by("username")
    users = users if reads_everything(rights) and not (asked.cluster or asked.namespace) else users.filter(pk__in=held)
    tokens, factors, sources = _tokens(rights), _factors(), _sources()
    return [
        Reviewed(
            user,
            source := sources.get(user.pk) or _source(user),
            tuple(factors.get(user.pk, [AT_PROVIDER] if source == PROVIDER else [])),
            tuple(held.get(user.pk, ())),
            tuple(tokens.get(user.pk, ())),
        )
        for user in users
    ]


def _source(user: User) -> str:
    return LOCAL if user.has_usable_password() else INVITED


def _sources() -> Mapping[int, str]:
    """How the account came to be, where it did not by an invitation of an administrator."""
    first = Entry.objects.filter(action="manage.FirstAdministrator").values_list("actor_id", flat=True)
    return {
        **dict.fromkeys(SocialAccount.objects.values_list("user_id", flat=True), PROVIDER),
        **{user: FIRST for user in first if user is not None},
        **dict.fromkeys(User.objects.filter(is_demo=True).values_list("pk", flat=True), DEMO),
    }


def _factors() -> Mapping[int, list[str]]:
    """The types of second factors by person: `totp`, `webauthn`, `recovery_codes`."""
    found: dict[int, list[str]] = defaultdict(list)
    kinds = Authenticator.objects.values_list("user_id", "type").order_by("type").distinct()
    for user, kind in kinds:
        found[user].append(kind)
    return found


def _tokens(rights: Rights) -> Mapping[int, list[ApiToken]]:
    """The tokens that can still be used, by person."""
    found: dict[int, list[ApiToken]] = defaultdict(list)
    alive = ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now()).order_by("name", "created_at")
    for token in alive.defer("digest"):
        if concerns(rights, Scope(token.cluster, token.namespace)):
            found[token.user_id].append(token)
    return found


def _team(one: Holding) -> str:
    membership = one.held.membership
    facts = [
        *(["owner"] if membership and membership.owner else []),
        *([f"by the group {one.group}"] if one.group else []),
        *([f"until {_iso(one.until)}"] if one.until else []),
    ]
    return one.team + (f" ({', '.join(facts)})" if facts else "")


def _token(token: ApiToken) -> str:
    scope = f"{', '.join(sorted(token.permissions))} on {token.cluster}/{token.namespace}"
    return f"{token.name} ({token.prefix}…): {scope}, until {_iso(token.expires_at)}"


def _iso(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}Z" if moment else ""
