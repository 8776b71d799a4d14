"""What a difference says, and what collides: both sides, without a value."""

from __future__ import annotations

from typing import Any

import pytest

from console.knative import diff
from console.knative.changes import EnvEntry, SetEnv, SetImage, SetTimeout, SplitTraffic
from console.knative.objects import Service
from console.knative.redaction import MASK
from console.knative.traffic import TrafficTarget
from tests import factories


def pods(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["spec"]["template"]["spec"]
    return found


def rows(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {row.field.removeprefix("spec.template.spec."): (row.before, row.after) for row in diff.diff(before, after)}


def test_where_a_value_comes_from_is_told_and_the_value_is_not() -> None:
    before, after = factories.service(), factories.service()
    pods(after)["containers"][0]["env"][1] = {
        "name": "PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "shop", "key": "password"}},
    }
    pods(after)["containers"][0]["env"][2]["valueFrom"]["secretKeyRef"]["key"] = "other"
    assert rows(before, after) == {
        "containers[app].env[PASSWORD].value": (MASK, None),
        "containers[app].env[PASSWORD].valueFrom": (None, "secret shop/password"),
        "containers[app].env[DB].valueFrom": ("secret db/password", "secret db/other"),
    }


def test_another_order_of_variables_is_a_difference() -> None:
    """`$(NAME)` in a value refers to variables that stand before it: the order has meaning."""
    before, after = factories.service(), factories.service()
    pods(after)["containers"][0]["env"].reverse()
    assert rows(before, after) == {"containers[app].env": ("TARGET, PASSWORD, DB", "DB, PASSWORD, TARGET")}
    assert diff.creates_revision(Service(before), Service(after))


def test_a_variable_that_is_listed_twice_and_then_once_is_a_difference() -> None:
    before, after = factories.service(), factories.service()
    pods(before)["containers"][0]["env"].insert(0, {"name": "TARGET", "value": "outdone by the later one"})
    assert list(rows(before, after)) == ["containers[app].env"]


ONE, TWO, NINE = ({"name": "MODE", "value": value} for value in ("one", "two", "nine"))
FROM = {"name": "MODE", "valueFrom": {"secretKeyRef": {"name": "db", "key": "mode"}}}


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ([ONE, TWO], [NINE, TWO], {"env": (f"MODE #1: {MASK}, MODE #2", f"MODE #1: {MASK}, MODE #2")}),
        ([ONE, TWO, TWO], [ONE, NINE, TWO], {"env": (f"MODE #1, MODE #2: {MASK}, MODE #3",) * 2}),
        ([ONE, TWO], [FROM, TWO], {"env": (f"MODE #1: {MASK}, MODE #2", "MODE #1: secret db/mode, MODE #2")}),
        ([ONE, TWO], [ONE, NINE], {"env[MODE].value": (MASK, MASK)}),
        ([ONE, TWO], [TWO], {"env": (f"MODE #1: {MASK}, MODE #2", "MODE")}),
        ([TWO], [ONE, TWO], {"env": ("MODE", f"MODE #1: {MASK}, MODE #2")}),
    ],
)
def test_of_several_variables_of_one_name_it_is_told_which_differs(was: Any, becomes: Any, told: Any) -> None:
    before, after = factories.service(), factories.service()
    pods(before)["containers"][0]["env"], pods(after)["containers"][0]["env"] = was, becomes
    assert rows(before, after) == {f"containers[app].{name}": texts for name, texts in told.items()}


def test_containers_without_names_are_told_as_a_whole_and_still_masked() -> None:
    before, after = factories.service(), factories.service()
    del pods(after)["containers"][0]["name"]
    ((was, becomes),) = rows(before, after).values()
    assert was
    assert becomes
    assert factories.SECRET_VALUE not in was + becomes
    assert "registry.example.com/shop" in becomes


def test_init_containers_keep_their_values_to_themselves() -> None:
    before, after = factories.service(), factories.service()
    for raw, value in ((before, "first-secret"), (after, "second-secret")):
        pods(raw)["initContainers"] = [{"name": "init", "image": "i", "env": [{"name": "A", "value": value}]}]
    assert rows(before, after) == {"initContainers[init].env[A].value": (MASK, MASK)}


@pytest.mark.parametrize("name", ["env", "containers"])
def test_a_container_may_have_any_name(name: str) -> None:
    before, after = factories.service(), factories.service()
    for raw in (before, after):
        pods(raw)["containers"][1]["name"] = name
    pods(after)["containers"][1]["image"] = "registry.example.com/log:3"
    assert rows(before, after) == {
        f"containers[{name}].image": ("registry.example.com/log:2", "registry.example.com/log:3")
    }


@pytest.mark.parametrize("empty", [None, {}])
def test_emptiness_is_not_told_from_absence(empty: Any) -> None:
    before, after = factories.service(), factories.service()
    pods(after)["containers"][1]["resources"] = empty
    assert diff.diff(before, after) == ()
    pods(after)["volumes"].append({"name": "tmp", "emptyDir": {}})
    assert rows(before, after) == {"volumes[tmp].name": (None, "tmp"), "volumes[tmp].emptyDir": (None, "{}")}


def test_a_split_is_told_in_words() -> None:
    before = Service(factories.service())
    after = SplitTraffic((TrafficTarget(None, 100),)).apply(before)
    (row,) = diff.diff(before.raw, after.raw)
    assert (row.before, row.after) == (
        "90% shop-00003 #stable, 10% shop-00004 #canary, 0% shop-00004 #next",
        "100% @latest",
    )


def test_a_collision_shows_what_it_was_and_what_others_made_of_it() -> None:
    seen = Service(factories.service())
    fresh = SetImage("sidecar", "registry.example.com/log:3").apply(SetTimeout(60).apply(seen))
    (collision,) = diff.collisions(seen, fresh, SetTimeout(30).touches())
    assert (collision.field, collision.was, collision.theirs) == ("spec.template.spec.timeoutSeconds", "120", "60")
    assert diff.collisions(seen, fresh, SetEnv("app", (EnvEntry("TARGET", "x"),)).touches()) == ()


def test_two_people_who_add_the_same_variable_collide() -> None:
    seen = Service(factories.service())
    mine = SetEnv("app", (EnvEntry("NEW", "mine"),))
    fresh = SetEnv("app", (EnvEntry("NEW", "theirs"),)).apply(seen)
    found = diff.collisions(seen, fresh, mine.touches())
    assert found
    assert "theirs" not in str([(c.was, c.theirs) for c in found])


def test_a_container_that_others_took_away_collides_with_an_edit_of_its_variables() -> None:
    seen, fresh = factories.service(), factories.service()
    del pods(fresh)["containers"][1]
    touched = SetEnv("sidecar", (EnvEntry("LEVEL", "debug"),)).touches()
    assert diff.collisions(Service(seen), Service(fresh), touched)
