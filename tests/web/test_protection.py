"""Protected services in the browser: asking, deciding, freezes, the emergency override, and the pages of rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from console.access.models import Grant
from console.audit.models import Entry
from console.cluster.resources import SERVICES
from console.operations.models import Operation, Preview
from console.operations.models.protection import Approval, FreezeWindow, ProtectionRule
from console.operations.models.statuses import Status
from tests import factories
from tests.operations.steps import finish
from tests.web.conftest import FormClient
from tests.web.pages import read
from tests.web.test_changes import Shown

ALL = ["deploy", "traffic", "operate", "delete"]


@pytest.fixture
def shown(client, world, mirror, people) -> Shown:
    """A protected service, and the deployer at the browser."""
    ProtectionRule.objects.create(cluster="box", namespace="default", permissions=ALL, note="Payments: two people")
    client.force_login(people["deployer"])
    return Shown(client, world, mirror)


@pytest.fixture
def at(people):
    """Another person's browser."""

    def sign_in(name: str) -> FormClient:
        client = FormClient()
        client.force_login(people[name])
        return client

    return sign_in


def freeze(**more: Any) -> FreezeWindow:
    begins, ends = (f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (-1, 2))
    facts = {"permissions": ALL, "begins": begins, "ends": ends, "note": "Release day"}
    return FreezeWindow.objects.create(**{**facts, **more})


def ask(shown: Shown, **more: str) -> Operation:
    """Preview and submit a change, as the deployer does."""
    shown.set_target("Second")
    preview = Preview.objects.latest("created_at")
    shown.client.post(f"/previews/{preview.id}/submit/", {"reason": "ticket 12", **more})
    return Operation.objects.get()


def digest(operation: Operation) -> dict[str, str]:
    return {"digest": Approval.objects.get(operation=operation).digest}


def test_a_deployer_asks_an_approver_approves_and_it_is_applied_once(shown: Shown, at) -> None:
    preview = read(shown.set_target("Second"))
    assert "This service is protected: a second person must approve this change. Payments: two people" in preview.text
    assert "Request approval" in preview.text
    assert "Deploy Back to editing" not in preview.text
    operation = ask(shown)
    author = read(shown.client.get(f"/operations/{operation.id}/"))
    assert "Waiting for approval" in author.text
    assert "Withdraw" in author.text
    assert "Decline" not in author.text

    approver = at("releaser")
    assert "Approvals 1 waiting for you" in read(approver.get("/operations/")).text
    waiting = read(approver.get("/approvals/"))
    assert "Waiting for you" in waiting.text
    assert f"/operations/{operation.id}/" in waiting.links
    assert "ticket 12" in waiting.text
    page = read(approver.get(f"/operations/{operation.id}/"))
    assert "deployer requests this change." in page.text
    assert "spec.template.spec.containers[app].env[TARGET].value •••• ••••" in page.text
    assert "Tracks the latest revision: a new revision gets 100%" in page.text
    assert f'kn service update {shown.name} --namespace default --env TARGET="$TARGET"' in page.text
    assert page.inline == []
    markup = approver.get(f"/operations/{operation.id}/").content.decode()
    content = markup[markup.index('id="content"') : markup.index("</main>")]
    assert "hx-get" not in content, "nothing reloads what is typed"
    approver.post(f"/operations/{operation.id}/approve/", {**digest(operation), "comment": "go"})

    operation = finish(Operation.objects.get())
    assert operation.status == Status.SUCCEEDED
    assert shown.world.env(shown.name)["TARGET"] == "Second"
    assert shown.world.get(shown.name)["metadata"]["generation"] == 2
    again = approver.post(f"/operations/{operation.id}/approve/", digest(operation), follow=True)
    assert "Too late" in read(again).text
    after = read(shown.client.get(f"/operations/{operation.id}/")).text
    assert "Approved by releaser" in after
    assert "Approvals 1" not in read(approver.get("/operations/")).text


def test_the_author_gets_no_way_to_approve(shown: Shown, people) -> None:
    Grant.objects.filter(team__memberships__user=people["deployer"]).update(role=role_of(people, "owner"))
    operation = ask(shown)
    assert "Decline" not in read(shown.client.get(f"/operations/{operation.id}/")).text
    answer = shown.client.post(f"/operations/{operation.id}/approve/", digest(operation), follow=True)
    assert "You can't approve or decline your own change." in read(answer).text
    assert Operation.objects.get().status == Status.WAITING
    assert "Nothing is waiting for your approval." in read(shown.client.get("/approvals/")).text


def role_of(people, name: str) -> Any:
    return Grant.objects.filter(team__memberships__user=people[name]).values_list("role_id", flat=True)[0]


@pytest.mark.parametrize("what", ["approve", "decline"])
def test_who_may_not_approve_is_refused_with_the_roles(shown: Shown, at, what: str) -> None:
    operation = ask(shown)
    viewer = at("viewer")
    assert "Decline" not in read(viewer.get(f"/operations/{operation.id}/")).text
    answer = viewer.post(f"/operations/{operation.id}/{what}/", {**digest(operation), "comment": "x"})
    assert answer.status_code == 403
    assert "releaser" in read(answer).text
    assert Operation.objects.get().status == Status.WAITING


def test_declining_needs_a_word_and_the_author_reads_it(shown: Shown, at) -> None:
    operation = ask(shown)
    approver = at("releaser")
    silent = approver.post(f"/operations/{operation.id}/decline/", {"comment": " "})
    assert silent.status_code == 422
    assert "Enter a reason" in read(silent).text
    approver.post(f"/operations/{operation.id}/decline/", {"comment": "not on a Friday"})
    page = read(shown.client.get(f"/operations/{operation.id}/")).text
    assert "Declined. Nothing was written. releaser: not on a Friday" in page
    assert "Retry" in page


def test_a_withdrawn_request_is_over(shown: Shown, at) -> None:
    operation = ask(shown)
    shown.client.post(f"/operations/{operation.id}/withdraw/")
    assert Operation.objects.get().status == Status.CANCELLED
    assert "Its author withdrew it." in read(at("viewer").get(f"/operations/{operation.id}/")).text


def test_the_approver_is_told_when_the_service_changed_meanwhile(shown: Shown, at) -> None:
    operation = ask(shown)
    shown.world.edit(shown.name, lambda service: service["spec"]["template"]["spec"].update(timeoutSeconds=77))
    shown.mirror_it()
    assert "has changed since this was requested" in read(at("releaser").get(f"/operations/{operation.id}/")).text


def test_a_missing_reason_is_told_beside_the_button_and_nothing_is_lost(shown: Shown) -> None:
    form = shown.set_target("Second").content.decode()
    assert 'name="reason" maxlength="500" autocomplete="off" value="" required' in form
    preview = Preview.objects.get()
    answer = shown.client.post(f"/previews/{preview.id}/submit/", {"reason": ""})
    assert answer.status_code == 422
    page = read(answer).text
    assert "A reason is required" in page
    assert "env[TARGET].value •••• ••••" in page
    assert not Operation.objects.exists()
    shown.client.post(f"/previews/{preview.id}/submit/", {"reason": "ticket 12"})
    assert Operation.objects.get().reason == "ticket 12"


def test_a_freeze_is_shown_beside_the_button_with_its_end_and_note(shown: Shown) -> None:
    window = freeze()
    until = f"Frozen until {window.ends.replace('T', ' ')} UTC. Release day"
    page = read(shown.set_target("Second"))
    assert until in page.text
    assert "Request approval" not in page.text
    assert "Emergency override" not in page.text
    assert until in read(shown.client.get(f"{shown.path}env/")).text


def test_a_freeze_that_begins_after_the_preview_refuses_and_keeps_what_was_typed(shown: Shown) -> None:
    shown.set_target("Second")
    preview = Preview.objects.get()
    window = freeze()
    answer = shown.client.post(f"/previews/{preview.id}/submit/", {"reason": "ticket 12"})
    assert answer.status_code == 422
    assert f"default/{shown.name}: Frozen until" in read(answer).text
    assert not Operation.objects.exists()
    assert Entry.objects.filter(action="protect.frozen", outcome="refused", service=shown.name).count() == 1
    window.delete()
    shown.client.post(f"/previews/{preview.id}/submit/", {"reason": "ticket 12"})
    assert Operation.objects.get().status == Status.WAITING


def test_an_override_of_what_is_wider_than_ones_own_scope_is_not_offered(shown: Shown, at) -> None:
    window = freeze()
    shown.client = at("owner")
    assert "Emergency override" not in read(shown.set_target("Second")).text
    window.delete()


def test_the_emergency_override_is_offered_to_managers_and_seen_everywhere(shown: Shown, at, people) -> None:
    freeze(cluster="box", namespace="default")
    shown.client = at("owner")
    assert "Emergency override" in read(shown.set_target("Second")).text
    address = f"/previews/{Preview.objects.get().id}/submit/"
    silent = shown.client.post(address, {"reason": "", "break_glass": "1"})
    assert silent.status_code == 422
    shown.client.post(address, {"reason": "the shop is down", "break_glass": "1"})
    operation = finish(Operation.objects.get())
    assert operation.status == Status.SUCCEEDED
    viewer = at("viewer")
    loud = "owner used the emergency override on this service's protection: the shop is down"
    assert loud in read(viewer.get(f"/operations/{operation.id}/")).text
    assert loud in read(viewer.get(shown.path)).text
    assert loud in read(viewer.get(f"{shown.path}revisions/")).text
    assert "Override used" in read(viewer.get("/operations/")).text


def test_a_hidden_field_uses_no_emergency_override(shown: Shown) -> None:
    shown.set_target("Second")
    answer = shown.client.post(
        f"/previews/{Preview.objects.get().id}/submit/", {"reason": "in a hurry", "break_glass": "1"}
    )
    assert answer.status_code == 403
    assert not Operation.objects.exists()


def test_protected_services_are_marked(shown: Shown) -> None:
    assert "protected" in read(shown.client.get("/")).text
    assert "protected" in read(shown.client.get(shown.path)).text
    form = read(shown.client.get(f"{shown.path}traffic/")).text
    assert "A second person must approve these changes: change environment variables" in form


def test_many_at_once_say_which_are_protected_and_leave_out_the_frozen(shown: Shown) -> None:
    typed = {"services": [f"box/default/{shown.name}"], "kind": "env", "name": "COLOUR", "value": "red"}
    page = read(shown.client.post("/services/bulk/", typed)).text
    assert "1 of them is protected: its change needs approval by a second person." in page
    answer = shown.client.post("/services/bulk/submit/", {"preview": [str(Preview.objects.get().id)]})
    assert answer.status_code == 422
    assert "A reason is required" in read(answer).text
    sent = {"preview": [str(Preview.objects.get().id)], "reason": "new colours"}
    shown.client.post("/services/bulk/submit/", sent)
    assert Operation.objects.get().status == Status.WAITING
    freeze()
    page = read(shown.client.post("/services/bulk/", typed)).text
    assert "Frozen until" in page
    assert "Apply to" not in page


def test_the_emergency_override_of_one_service_is_reached_from_a_bulk_edit(shown: Shown, at) -> None:
    shown.client = at("owner")
    typed = {"services": [f"box/default/{shown.name}"], "kind": "env", "name": "COLOUR", "value": "red"}
    shown.client.post("/services/bulk/", typed)
    answer = shown.client.post("/services/bulk/submit/", {"preview": [str(Preview.objects.get().id)]})
    assert answer.status_code == 422
    action = f'action="/previews/{Preview.objects.get().id}/submit/"'
    assert answer.content.decode().count(action) == 2, "the button's form and the override's"


def test_trying_again_during_a_freeze_says_so(shown: Shown, at) -> None:
    operation = ask(shown)
    shown.client.post(f"/operations/{operation.id}/withdraw/")
    freeze()
    answer = shown.client.post(f"/operations/{operation.id}/retry/", follow=True)
    assert "Frozen until" in read(answer).text
    assert Operation.objects.count() == 1


SHOWN = {"covers": "box/default"}  # what the page said that it covers, before it was saved
RULE = {
    "cluster": "box",
    "namespace": "default",
    "selector": "",
    "permissions": ["deploy"],
    "valid_hours": "8",
    **SHOWN,
}
WINDOW = {
    "cluster": "box", "namespace": "default", "permissions": ["deploy", "traffic"], "zone": "Europe/Berlin",
    "begins": "2026-11-27T16:00", "ends": "2026-11-30T08:00", "is_weekly": "on", "note": "No changes at weekends",
    **SHOWN,
}  # fmt: skip


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["owner"])
    return client


def test_rules_and_windows_are_added_changed_and_removed(owner) -> None:
    owner.post(reverse("protection-add", args=["rule"]), RULE)
    owner.post(reverse("protection-add", args=["window"]), WINDOW)
    page = read(owner.get("/protection/")).text
    assert "change environment variables, images and settings Ask for approval Optional 8 h" in page
    assert "Fri 2026-11-27 16:00 weekly Europe/Berlin" in page
    assert "No changes at weekends" in page
    rule, window = ProtectionRule.objects.get(), FreezeWindow.objects.get()
    owner.post(reverse("protection-edit", args=["rule", rule.id]), {**RULE, "needs_reason": "on", "valid_hours": "4"})
    *changed, whole = Entry.objects.get(action="protect.rule-change").changes
    assert whole["field"].startswith("rights.rule."), "for programs that replay the log"
    assert {(row["field"], row["before"], row["after"]) for row in changed} == {
        ("needs_reason", "False", "True"), ("valid_hours", "8", "4"),
    }  # fmt: skip
    assert (
        "Remove this freeze window?" in read(owner.get(reverse("protection-remove", args=["window", window.id]))).text
    )
    owner.post(reverse("protection-remove", args=["window", window.id]))
    owner.post(reverse("protection-remove", args=["rule", rule.id]))
    assert not FreezeWindow.objects.exists()
    assert not ProtectionRule.objects.exists()


@pytest.mark.parametrize(
    ("kind", "typed", "message"),
    [
        ("rule", {"namespace": "*"}, "You do not manage all of this scope."),
        ("rule", {"cluster": "*"}, "You do not manage all of this scope."),
        ("rule", {"namespace": "oth[e]r"}, "A name, or a pattern with *"),
        ("rule", {"selector": "app"}, "Enter labels in the format app=shop,tier=front."),
        ("rule", {"permissions": []}, "Choose at least one kind of change."),
        ("rule", {"cluster": ""}, "Choose a cluster. Enter * for all clusters."),
        ("rule", {"namespace": ""}, "Choose a namespace. Enter * for all namespaces."),
        ("window", {"namespace": ""}, "Choose a namespace. Enter * for all namespaces."),
        ("window", {"permissions": []}, "Choose at least one kind of change."),
        ("rule", {"service": "shop*"}, "Enter the name of one service, without *."),
        ("rule", {"service": "Shop"}, "Enter the name of one service, without *."),
        ("rule", {"permissions": ["manage"]}, "manage"),
        ("rule", {"valid_hours": "0"}, "1"),
        ("window", {"zone": "Mars/Olympus"}, "Unknown time zone"),
        ("window", {"zone": "../../etc/passwd"}, "Unknown time zone"),
        ("window", {"begins": "tomorrow"}, "Use the format 2026-12-24T18:00."),
        ("window", {"begins": "9999-12-31T00:00"}, "Choose a year from 2020 to 2100."),
        ("window", {"ends": "2026-11-27T16:00"}, "The end must be after the start."),
        ("window", {"ends": "2026-12-04T16:00"}, "must be shorter than a week"),
    ],
)
def test_bad_rules_are_refused_beside_the_field_and_nothing_is_lost(
    owner, kind: str, typed: dict[str, Any], message: str
) -> None:
    base = RULE if kind == "rule" else WINDOW
    answer = owner.post(reverse("protection-add", args=[kind]), {**base, "note": "my <note>", **typed})
    assert answer.status_code == 422
    page = read(answer)
    assert message in page.text
    assert 'value="my &lt;note&gt;"' in answer.content.decode()
    assert not ProtectionRule.objects.exists()
    assert not FreezeWindow.objects.exists()


EVERYTHING = {"cluster": "*", "namespace": "*", "covers": "*/*"}


@pytest.mark.parametrize("kind", ["rule", "window"])
def test_everything_is_covered_only_by_a_person_who_ticks_that_they_mean_it(client, mirror, people, kind: str) -> None:
    client.force_login(people["administrator"])
    base, address = RULE if kind == "rule" else WINDOW, reverse("protection-add", args=[kind])
    for stars in ({}, {"cluster": "**"}):
        answer = client.post(address, {**base, **EVERYTHING, **stars})
        assert answer.status_code == 422
        assert "This covers every service in every cluster. Tick the box if you mean it." in read(answer).text
    assert not any(model.objects.exists() for model in (ProtectionRule, FreezeWindow))
    assert client.post(address, {**base, **EVERYTHING, "everything": "on"}).status_code == 302
    made = (ProtectionRule if kind == "rule" else FreezeWindow).objects.get()
    again = client.post(reverse("protection-edit", args=[kind, made.pk]), {**base, **EVERYTHING, "everything": "on"})
    assert again.status_code == 302


@pytest.mark.parametrize("kind", ["rule", "window"])
def test_a_new_rule_begins_with_nothing_chosen(owner, kind: str) -> None:
    page = owner.get(reverse("protection-add", args=[kind])).content.decode()
    for name in ("cluster", "namespace", "service"):
        assert re.search(rf'name="{name}"(?! value)[^>]*list="known-{name}"', page), name
    assert "checked" not in page.partition("Applies to")[2].partition("</fieldset>")[0]
    assert '<option value="box">' in page
    assert "Choose a cluster and a namespace to see which services are covered." in page


def test_a_rule_is_saved_only_after_the_page_said_what_it_covers(owner) -> None:
    address = reverse("protection-add", args=["rule"])
    fresh = {name: value for name, value in RULE.items() if name != "covers"}
    page = owner.post(address, {**fresh, "service": "shop"})
    assert page.status_code == 200
    assert "Check what this covers, then press Save again." in read(page).text
    assert "Covers 1 service now: box/default/shop" in read(page).text
    assert not ProtectionRule.objects.exists()
    assert 'name="covers" value="box/default/shop"' in page.content.decode()
    other = owner.post(address, {**RULE, "service": "shop"})
    assert other.status_code == 200, "what was shown is not what would be saved"
    assert owner.post(address, {**RULE, "service": "shop", "covers": "box/default/shop"}).status_code == 302
    assert ProtectionRule.objects.get().service == "shop"


def test_asking_what_is_covered_saves_and_logs_nothing(owner, mirror) -> None:
    for number in range(25):
        mirror.put(SERVICES, factories.service(f"more-{number:02}"))
    address = reverse("protection-add", args=["rule"]) + "?check=1"
    text = read(owner.post(address, RULE)).text
    assert re.search(r"Covers \d+ services now: box/default/more-00", text)
    assert re.search(r"and \d+ more", text)
    assert "Covers no service now" in read(owner.post(address, {**RULE, "selector": "app=none"})).text
    assert owner.post(address, {**RULE, "cluster": "*", "namespace": "*"}).status_code == 200
    assert not ProtectionRule.objects.exists()
    assert not Entry.objects.filter(action="manage.refused").exists()


def test_labels_are_picked_one_line_each(owner) -> None:
    address = reverse("protection-add", args=["rule"])
    assert "<option>app=shop</option>" in owner.get(address).content.decode()
    owner.post(
        address, {**RULE, "selector": "app=shop\r\ntier=front\r\n", "covers": "box/default [app=shop,tier=front]"}
    )
    rule = ProtectionRule.objects.get()
    assert rule.selector == "app=shop,tier=front"
    shown = owner.get(reverse("protection-edit", args=["rule", rule.id])).content.decode()
    assert re.search(r"<textarea[^>]*>\s*app=shop\ntier=front</textarea>", shown)


def test_protect_in_a_services_menu_leads_to_a_rule_for_this_service(owner) -> None:
    page = read(owner.get("/services/box/default/shop/"))
    address = next(link for link in page.links if link.startswith("/protection/rule/new/"))
    form = owner.get(address)
    assert "Protect shop" in read(form).text
    assert "Covers 1 service now: box/default/shop" in read(form).text
    assert form.content.decode().count(" checked") == 5, "four kinds of change, and that a reason is needed"
    for name, value in (("cluster", "box"), ("namespace", "default"), ("service", "shop")):
        assert re.search(rf'name="{name}" value="{value}"', form.content.decode())
    other = next(link for link in read(form).links if link.startswith("/protection/window/new/?"))
    assert "Freeze shop" in read(owner.get(other)).text


def test_who_manages_only_services_with_a_label_gets_a_rule_with_their_labels(client, mirror, people) -> None:
    Grant.objects.filter(team__memberships__user=people["owner"]).update(selector="app=shop")
    client.force_login(people["owner"])
    address = reverse("protection-add", args=["rule"]) + "?cluster=box&namespace=default&service=shop"
    form = client.get(address).content.decode()
    assert re.search(r"<textarea[^>]*>\s*app=shop\ntier=front</textarea>", form)
    named = {**RULE, "service": "shop", "covers": "box/default/shop"}
    assert client.post(address, named).status_code == 422
    labelled = {**named, "selector": "app=shop", "covers": "box/default/shop [app=shop]"}
    assert client.post(address, labelled).status_code == 302


def test_a_service_of_others_prefills_nothing(client, mirror, people) -> None:
    client.force_login(people["stranger"])
    address = reverse("protection-add", args=["rule"]) + "?cluster=box&namespace=default&service=shop"
    page = client.get(address)
    assert "Covers" not in read(page).text
    assert 'value="shop"' not in page.content.decode()


def test_a_rule_cannot_be_widened_beyond_what_one_manages_and_the_attempt_is_logged(owner) -> None:
    rule = ProtectionRule.objects.create(cluster="box", namespace="default", permissions=["deploy"])
    answer = owner.post(reverse("protection-edit", args=["rule", rule.id]), {**RULE, "namespace": "*"})
    assert answer.status_code == 422
    assert ProtectionRule.objects.get().namespace == "default"
    assert Entry.objects.filter(action="manage.refused", outcome="refused").count() == 1


@pytest.mark.parametrize("name", ["protection-edit", "protection-remove"])
def test_rules_beyond_ones_scope_answer_as_rules_that_do_not_exist(owner, name: str) -> None:
    rule = ProtectionRule.objects.create(cluster="*", namespace="*", permissions=["deploy"])
    for kind, number in (("rule", rule.id), ("rule", 999), ("nonsense", rule.id)):
        for method in (owner.get, owner.post):
            assert method(reverse(name, args=[kind, number]), RULE).status_code == 404
    assert "*/*" not in read(owner.get("/protection/")).text
    assert ProtectionRule.objects.get().cluster == "*"


def test_requests_of_other_teams_are_in_no_list(shown: Shown, at, people) -> None:
    operation = ask(shown)
    stranger = at("stranger")  # an owner, elsewhere
    assert str(operation.id) not in stranger.get("/approvals/").content.decode()
    assert "waiting for you" not in read(stranger.get("/operations/")).text
    for what in ("approve", "decline", "withdraw"):
        assert stranger.post(f"/operations/{operation.id}/{what}/", digest(operation)).status_code == 404


def test_an_expired_request_is_not_counted(shown: Shown, at) -> None:
    ask(shown)
    Operation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Nothing is waiting for your approval." in read(at("releaser").get("/approvals/")).text
