"""Which image people are shown, where an annotation and the container name two."""

from __future__ import annotations

from typing import Any

import pytest

from console.knative.changes import KeepDigest, ResolveImage, SetImage
from console.knative.diff import diff
from console.knative.objects import USER_IMAGE, Revision, Service
from tests import factories

DIGEST = "@sha256:" + "5ea96b" + "0" * 58
OTHER = "@sha256:" + "b" * 64

# (what the container names, what the annotation remembers, what is shown)
NAMED = [
    ("r.example.com/shop/api:2.0", "r.example.com/shop/api:1.0", "r.example.com/shop/api:2.0"),
    ("r.example.com/shop/api:2.0", "", "r.example.com/shop/api:2.0"),
    ("r.example.com/shop/api", "r.example.com/shop/api:1.0", "r.example.com/shop/api"),
    (f"r.example.com/shop/api{DIGEST}", "r.example.com/shop/api:1.0", "r.example.com/shop/api:1.0"),
    (f"r.example.com/shop/api{DIGEST}", "r.example.com/shop/apix:1.0", f"r.example.com/shop/api{DIGEST}"),
    (f"r.example.com/shop/api{DIGEST}", "registry.example.com/shop:1.0", f"r.example.com/shop/api{DIGEST}"),
    (f"other.example.com/shop/api{DIGEST}", "r.example.com/shop/api:1.0", f"other.example.com/shop/api{DIGEST}"),
    (f"registry.example.com:5000/api{DIGEST}", "registry.example.com:5000/api:1", "registry.example.com:5000/api:1"),
    (f"registry.example.com:5000/api{DIGEST}", "registry.example.com/api:1", f"registry.example.com:5000/api{DIGEST}"),
    (f"shop{DIGEST}", f"shop{OTHER}", f"shop{DIGEST}"),
    (f"shop:2{DIGEST}", "shop:1", f"shop:2{DIGEST}"),
    (f"shop:2{DIGEST}", "shop:2", "shop:2"),
    (f"index.docker.io/library/nginx{DIGEST}", "nginx:1.25", "nginx:1.25"),
    (f"docker.io/team/app{DIGEST}", "team/app:3", "team/app:3"),
    (f"example.com/library/nginx{DIGEST}", "nginx:1.25", f"example.com/library/nginx{DIGEST}"),
]  # fmt: skip


def named(image: str, remembered: str, make: Any = factories.service) -> dict[str, Any]:
    """An object whose serving container names `image`, and whose annotation remembers another."""
    raw = make()
    template = raw["spec"].get("template", raw)
    template["spec"]["containers"][0]["image"] = image
    annotations = template["metadata"]["annotations"]
    annotations.pop(USER_IMAGE)
    if remembered:
        annotations[USER_IMAGE] = remembered
    return raw


@pytest.mark.parametrize(("image", "remembered", "shown"), NAMED)
def test_what_another_tool_changed_is_not_shown_as_what_it_was(image: str, remembered: str, shown: str) -> None:
    assert Service(named(image, remembered)).image == shown
    assert Revision(named(image, remembered, factories.revision)).image == shown


def test_a_revision_is_told_by_the_tag_that_it_was_made_from() -> None:
    stale = Revision(named("registry.example.com/shop:2.0", "registry.example.com/shop:1.0", factories.revision))
    assert stale.image_text == "registry.example.com/shop:2.0 (pinned to 5ea96b)"


def test_an_annotation_of_the_first_container_is_not_taken_for_the_serving_one() -> None:
    raw = named("registry.example.com/proxy:3", "registry.example.com/proxy:3")
    containers = raw["spec"]["template"]["spec"]["containers"]
    containers[1]["ports"] = containers[0].pop("ports")
    containers[1]["image"] = f"registry.example.com/log{DIGEST}"
    assert Service(raw).image == f"registry.example.com/log{DIGEST}"


@pytest.mark.parametrize(("image", "remembered", "_shown"), NAMED)
def test_setting_the_image_that_is_there_already_changes_nothing(image: str, remembered: str, _shown: str) -> None:
    before = Service(named(image, remembered))
    assert diff(before.raw, SetImage("app", image).apply(before).raw) == ()


def test_pinning_remembers_the_tag_that_was_pinned_and_not_an_older_one() -> None:
    before = Service(named("registry.example.com/shop:2.0", "registry.example.com/shop:1.0"))
    after = KeepDigest("app", "sha256:" + "a" * 64).apply(before)
    assert after.template_annotations[USER_IMAGE] == "registry.example.com/shop:2.0"
    assert after.image == "registry.example.com/shop:2.0"


def test_letting_go_of_a_digest_never_goes_back_to_a_tag_of_before() -> None:
    before = Service(named(f"shop:2{DIGEST}", "shop:1"))
    assert ResolveImage("app").apply(before).containers[0].image == "shop:2"


def test_letting_go_of_a_digest_goes_back_to_a_name_without_a_tag() -> None:
    before = Service(named(f"shop{DIGEST}", "shop"))
    assert ResolveImage("app").apply(before).containers[0].image == "shop"
