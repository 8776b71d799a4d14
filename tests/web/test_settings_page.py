"""The pages of settings and scaling, opened by one person while somebody else changes the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.operations.models import Operation
from tests.support.browser import Form, change_forms
from tests.waiting import eventually
from tests.web.pages import read
from tests.web.test_changes import Shown, shown
from tests.web.test_restart_and_scale import press

__all__ = ["shown"]

AUTOSCALING = "autoscaling.knative.dev/"
MIN_SCALE = f"{AUTOSCALING}min-scale"
SENT = "application/x-www-form-urlencoded"


def opened(shown: Shown, page: str) -> Form:
    """The page's form, as a browser has it; the last one is about scaling."""
    return list(change_forms(shown.client.get(f"{shown.path}{page}/").content.decode()))[-1]


def send(shown: Shown, page: str, form: Form) -> Any:
    return shown.client.post(f"{shown.path}{page}/", form.encoded(), content_type=SENT, follow=True)


def from_outside(shown: Shown, edit: Callable[[dict[str, Any]], object]) -> None:
    shown.world.edit(shown.name, edit)
    eventually(lambda: shown.world.settled(shown.name), message="the change from outside does not become ready")
    shown.mirror_it()


def app(service: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = service["spec"]["template"]["spec"]["containers"][0]
    return found


def annotations(service: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = service["spec"]["template"].setdefault("metadata", {}).setdefault("annotations", {})
    return found


OUTSIDE: dict[str, Callable[[dict[str, Any]], object]] = {
    "arguments": lambda service: app(service).update(args=["set -e\n./migrate", "", " "]),
    "scale": lambda service: annotations(service).update({MIN_SCALE: "3", f"{AUTOSCALING}target": "0.7"}),
    "concurrency": lambda service: service["spec"]["template"]["spec"].update(containerConcurrency=7),
    "resources": lambda service: app(service).update(resources={"limits": {"cpu": "900m"}}),
    "labels": lambda service: service["metadata"].setdefault("labels", {}).update(team="others"),
    "probe": lambda service: app(service).update(readinessProbe={"tcpSocket": {"port": 0}, "periodSeconds": 7}),
}  # fmt: skip


@pytest.mark.parametrize("edit", OUTSIDE)
def test_settings_that_were_opened_before_somebody_elses_change_keep_it(shown: Shown, edit: str) -> None:
    form = opened(shown, "settings")
    from_outside(shown, OUTSIDE[edit])
    theirs = shown.service["spec"]
    form.type("timeout", "77")
    assert press(shown, send(shown, "settings", form)).status == "succeeded"
    ours = shown.service["spec"]
    assert ours["template"]["spec"].pop("timeoutSeconds") == 77
    for spec in (theirs, ours):
        spec["template"]["spec"].pop("timeoutSeconds", None)
        spec["template"].get("metadata", {}).pop("name", None)
        for container in spec["template"]["spec"]["containers"]:
            container.pop("image")  # pinned to the build that runs, as the box on the form says
        annotations({"spec": spec}).pop("client.knative.dev/user-image", None)
    assert ours == theirs


@pytest.mark.parametrize("edit", ["scale", "concurrency"])
def test_scaling_that_was_opened_before_somebody_elses_change_keeps_it(shown: Shown, edit: str) -> None:
    form = opened(shown, "operate")
    from_outside(shown, OUTSIDE[edit])
    theirs = dict(annotations(shown.service))
    concurrency = shown.service["spec"]["template"]["spec"].get("containerConcurrency")
    form.type("max", "9")
    assert press(shown, send(shown, "operate", form)).status == "succeeded"
    ours = {key: value for key, value in annotations(shown.service).items() if key.startswith(AUTOSCALING)}
    assert ours == {**theirs, f"{AUTOSCALING}max-scale": "9"}
    assert shown.service["spec"]["template"]["spec"].get("containerConcurrency") == concurrency


@pytest.mark.parametrize("page", ["settings", "operate"])
def test_a_page_that_comes_back_untouched_says_that_nothing_was_changed(shown: Shown, page: str) -> None:
    from_outside(shown, lambda service: [edit(service) for edit in OUTSIDE.values()])
    answer = send(shown, page, opened(shown, page))
    assert "Nothing was changed." in read(answer).text
    assert not Operation.objects.exists()


def test_what_is_wrong_leaves_what_was_shown_in_the_form(shown: Shown) -> None:
    """The second attempt is still compared with what the first page showed."""
    form = opened(shown, "settings")
    from_outside(shown, OUTSIDE["scale"])
    form.type("timeout", "many")
    again = list(change_forms(send(shown, "settings", form).content.decode()))[-1]
    again.type("timeout", "77")
    text = read(send(shown, "settings", again)).text
    assert "spec.template.spec.timeoutSeconds" in text
    assert f"annotations['{MIN_SCALE}']" not in text
