"""Where rights hold: one pattern inside another, labels inside labels, and that nobody grants more than they have."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.access.authorization import Right, Rights
from console.access.granting import ends_no_later, manages_in, shortfall
from console.access.models import User
from console.access.permissions import Permission
from console.access.scopes import Scope, matches, of_service, parse_selector, patterns_meet, selector_text
from console.knative.references import ServiceRef

# Every pattern up to four signs and every name up to five: small enough to try them all.
PATTERNS = ["".join(signs) for size in range(1, 5) for signs in itertools.product("ab*", repeat=size)]
NAMES = ["".join(signs) for size in range(6) for signs in itertools.product("abc", repeat=size)]
MATCHED = {pattern: frozenset(name for name in NAMES if matches(pattern, name)) for pattern in PATTERNS}

names = st.text("ab-", min_size=1, max_size=4)
patterns = st.text("ab-*", min_size=1, max_size=5)
labels = st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12"), max_size=3)
scopes = st.builds(Scope, patterns, patterns, labels)
permissions = st.frozensets(st.sampled_from([permission.value for permission in Permission]))
moments = st.datetimes(max_value=datetime(2100, 1, 1))
services = st.tuples(st.builds(ServiceRef, names, names, st.just("x")), labels)


def right(held: frozenset[str], scope: Scope, until: datetime | None = None) -> Right:
    return Right(held, scope.cluster, scope.namespace, scope.selector, "role", "team", until)


rights = st.lists(st.builds(right, permissions, scopes), max_size=4).map(lambda found: Rights(User(), found))


def test_a_pattern_covers_another_exactly_when_it_matches_all_of_its_names() -> None:
    """`c` is a letter that no pattern has, so that a star is not mistaken for the letters that patterns do have."""
    tried = 0
    for outer, inner in itertools.product(PATTERNS, repeat=2):
        assert matches(outer, inner) == (MATCHED[inner] <= MATCHED[outer]), f"{outer} over {inner}"
        tried += 1
    assert tried == 120**2


def test_two_patterns_meet_exactly_when_some_name_is_matched_by_both() -> None:
    """Names for two patterns of three signs need at most four, so that the names tried here decide it."""
    short = [pattern for pattern in PATTERNS if len(pattern) <= 3]
    for one, other in itertools.product(short, repeat=2):
        assert patterns_meet(one, other) == bool(MATCHED[one] & MATCHED[other]), f"{one} and {other}"


@pytest.mark.parametrize("pattern", ["a?", "[ab]", "a[!b]"])
def test_only_the_star_is_a_wildcard(pattern: str) -> None:
    assert matches(pattern, pattern)
    assert not matches(pattern, "ab")
    assert not matches(pattern, "a")


@given(scopes, scopes, services)
def test_a_covered_scope_holds_no_service_that_the_other_does_not(outer: Scope, inner: Scope, service) -> None:
    one = of_service(*service)
    if outer.covers(inner) and inner.covers(one):
        assert outer.covers(one)


@given(scopes, scopes, services)
def test_scopes_that_share_a_service_overlap(one: Scope, other: Scope, service) -> None:
    shared = of_service(*service)
    if one.covers(shared) and other.covers(shared):
        assert one.overlaps(other)
        assert other.overlaps(one)


@given(labels)
def test_a_selector_is_read_back_as_it_is_written(selector: dict[str, str]) -> None:
    assert parse_selector(selector_text(selector)) == selector


@given(rights, permissions, scopes, services)
def test_a_grant_allows_nothing_that_the_granter_could_not_do(
    granter: Rights, wanted: frozenset[str], scope: Scope, service
) -> None:
    if shortfall(granter, wanted, scope):
        return
    ref, found = service
    receiver = Rights(User(), [right(wanted, scope)])
    for permission in Permission:
        if receiver.allows(permission, ref, found):
            assert granter.allows(permission, ref, found)
            assert granter.allows(Permission.MANAGE, ref, found)


@given(permissions, scopes)
def test_one_grants_all_of_what_one_has_where_one_manages(held: frozenset[str], scope: Scope) -> None:
    granter = Rights(User(), [right(held | {"manage"}, scope)])
    assert shortfall(granter, held, scope) == frozenset()
    assert shortfall(granter, {*held, "view"}, scope) == frozenset({"view"}) - held - {"manage"}


@pytest.mark.parametrize(
    ("wanted", "scope", "missing"),
    [
        ({"view"}, Scope("box", "shop-front"), set()),
        ({"view", "delete"}, Scope("box", "shop-front"), {"delete"}),
        ({"view"}, Scope("box", "shop"), {"view", "manage"}),
        ({"view"}, Scope("*", "shop-front"), {"view", "manage"}),
        ({"view"}, Scope("box", "*"), {"view", "manage"}),
        ({"reveal"}, Scope("box", "shop-a", {"app": "shop", "tier": "front"}), set()),
        ({"reveal"}, Scope("box", "shop-a", {"app": "other"}), {"reveal"}),
        ({"reveal"}, Scope("box", "shop-a"), {"reveal"}),
        ({"audit"}, Scope("box", "shop-a"), {"audit"}),
    ],
)
def test_what_is_missing_is_named(wanted: set[str], scope: Scope, missing: set[str]) -> None:
    """`audit` is held until a day only: what ends cannot be passed on for good."""
    granter = Rights(
        User(),
        [
            right(frozenset({"view", "manage"}), Scope("box", "shop-*")),
            right(frozenset({"reveal", "manage"}), Scope("*", "*", {"app": "shop"})),
            right(frozenset({"audit"}), Scope("*", "*"), datetime(2027, 1, 1, tzinfo=UTC)),
        ],
    )
    assert shortfall(granter, wanted, scope) == missing


def test_an_administrator_lacks_nothing_and_a_deactivated_one_everything() -> None:
    everything = Scope("*", "*")
    assert not shortfall(Rights(User(is_superuser=True), []), set(Permission), everything)
    assert shortfall(Rights(User(is_superuser=True, is_active=False), []), set(Permission), everything)


@given(scopes, scopes)
def test_who_manages_a_part_of_a_scope_may_see_who_has_rights_there(own: Scope, theirs: Scope) -> None:
    manager = Rights(User(), [right(frozenset({"manage"}), own)])
    assert manages_in(manager, theirs) == own.overlaps(theirs)
    assert not manages_in(Rights(User(), [right(frozenset({"deploy"}), own)]), theirs)


@given(st.none() | moments, st.none() | moments)
def test_a_membership_given_on_ends_with_the_givers(asked: datetime | None, limit: datetime | None) -> None:
    forever = datetime.max
    assert ends_no_later(asked, limit) == ((asked or forever) <= (limit or forever))
