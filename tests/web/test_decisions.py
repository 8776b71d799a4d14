"""What approvers saw: shown afterwards, compared with the digest of the entry, values to those who may reveal them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, NamedTuple

import pytest
from django.urls import reverse

from console.access.actors import Actor
from console.access.models import Grant, Membership, Role, Team, User
from console.audit import chain
from console.audit.models import Entry, RetentionPolicy
from console.audit.verification import verify
from console.knative.changes import EnvEntry, SetEnv
from console.operations.models import Operation
from console.operations.models.protection import Approval, ProtectionRule
from console.operations.protection import approvals, decisions
from console.operations.protection.decisions import Match
from console.registry import resealing
from console.sealing import seal, unseal
from tests.operations.steps import submit
from tests.web.conftest import FormClient
from tests.web.pages import read

pytestmark = pytest.mark.django_db
SECOND = SetEnv("app", (EnvEntry("TARGET", "kept-from-auditors"),))


class Decided(NamedTuple):
    """A change that waited, and the entry of its approval."""

    operation: Operation
    entry: Entry
    client: FormClient

    def page(self, name: str = "audit-decision", **more: Any) -> Any:
        return self.client.get(reverse(name, kwargs={"sequence": self.entry.sequence, **more}))

    @property
    def match(self) -> Match:
        return decisions.decisions([Entry.objects.get(pk=self.entry.pk)])[0].match


def member(name: str, *roles: str, namespace: str = "*") -> User:
    user = User.objects.create_user(name)
    team = Team.objects.create(name=f"team of {name}")
    Membership.objects.create(user=user, team=team)
    for role in roles:
        Grant.objects.create(team=team, role=Role.objects.get(name=role), namespace=namespace)
    return user


@pytest.fixture
def waiting(world, ref, mirror) -> Operation:
    ProtectionRule.objects.create(permissions=["deploy"], needs_reason=False, note="two people")
    dora = member("dora", "deployer")
    return submit(SECOND, ref, Actor(dora.pk, "dora"), reason="ticket 12")


@pytest.fixture
def decided(waiting: Operation) -> Decided:
    """Approved by ruth; looked at by an auditor who may not reveal values."""
    ruth = member("ruth", "releaser")
    shown = Approval.objects.get(operation=waiting).digest
    approvals.approve(waiting, user=ruth, actor=Actor(ruth.pk, "ruth"), seen_digest=shown, comment="looks right")
    client = FormClient()
    client.force_login(member("ada", "auditor"))
    entry = Entry.objects.get(action="protect.approve")
    return Decided(waiting, entry, client)


def test_the_entry_of_a_decision_holds_the_whole_digest_of_what_was_shown(decided: Decided) -> None:
    """Sixteen digits are too few: two previews with the same ones can be searched for."""
    kind, digest, words = decided.entry.text.split(" ", 2)
    assert (kind, len(digest), words) == ("SetEnv", 64, "looks right")
    assert decided.match is Match.SAME
    verify()


def test_an_auditor_reads_what_was_on_the_screen_without_its_values(decided: Decided) -> None:
    found = read(decided.page())
    for words in (
        "ruth",
        "looks right",
        "dora",
        "ticket 12",
        "two people",
        "Stored preview unchanged",
        "TARGET: changed",
    ):
        assert words in found.text
    assert "kept-from-auditors" not in found.text
    assert "Show the values" not in found.text
    refused = decided.client.post(reverse("audit-decision-reveal", kwargs={"sequence": decided.entry.sequence}))
    assert refused.status_code == 403
    assert "kept-from-auditors" not in refused.content.decode()
    assert found.inline == []


def test_values_are_shown_to_who_may_reveal_them_with_an_entry(decided: Decided) -> None:
    decided.client.force_login(member("grace", "auditor", "deployer"))
    assert "kept-from-auditors" not in decided.page().content.decode()
    found = read(decided.client.post(reverse("audit-decision-reveal", kwargs={"sequence": decided.entry.sequence})))
    assert "TARGET: First → kept-from-auditors" in found.text
    (entry,) = Entry.objects.filter(action="reveal.Decision")
    assert (entry.actor, entry.text, entry.operation) == ("grace", "app/TARGET", decided.operation.id)


def test_the_page_says_whether_who_decided_saw_the_values(waiting: Operation, decided: Decided) -> None:
    assert "No entry says that values were shown" in read(decided.page()).text


def test_values_on_the_approvers_page_leave_an_entry_that_names_the_operation(waiting: Operation) -> None:
    client = FormClient()
    client.force_login(member("rita", "releaser", "deployer", "auditor"))
    client.get(reverse("operation", kwargs={"id": waiting.id}))
    shown = Approval.objects.get(operation=waiting).digest
    client.post(reverse("approve", kwargs={"id": waiting.id}), {"digest": shown, "comment": ""})
    entry = Entry.objects.get(action="protect.approve")
    assert (
        "rita saw the values before deciding"
        in read(client.get(reverse("audit-decision", kwargs={"sequence": entry.sequence}))).text
    )
    operation = client.get(reverse("operation", kwargs={"id": waiting.id}))
    assert reverse("audit-decision", kwargs={"sequence": entry.sequence}) in read(operation).links
    listed = client.get(reverse("audit-entry", kwargs={"sequence": entry.sequence}))
    assert reverse("audit-decision", kwargs={"sequence": entry.sequence}) in read(listed).links


def change_value(operation: Operation) -> dict[str, Any]:
    change = unseal(operation.sealed_change)
    text = json.dumps(change).replace("kept-from-auditors", "something else")
    return {"sealed_change": seal(json.loads(text))}


@pytest.mark.parametrize(
    "tamper",
    [
        change_value,
        lambda operation: {"reason": "ticket 13"},
        lambda operation: {"actor": "somebody"},
        lambda operation: {"kn": f"{operation.kn} --force"},
        lambda operation: {"changes": operation.changes[:-1] or [{"path": ["x"], "before": None, "after": "y"}]},
        lambda operation: {"sealed_after": seal({**unseal(operation.sealed_after), "spec": {}})},
        lambda operation: {"sealed_seen": seal({**unseal(operation.sealed_seen), "spec": {}})},
        lambda operation: {"sealed_salt": seal("0" * 64)},
    ],
    ids=["value", "reason", "author", "command", "rows", "dry run", "seen", "salt"],
)
def test_what_is_stored_cannot_be_changed_after_the_decision_unseen(decided: Decided, tamper: Any) -> None:
    Operation.objects.filter(id=decided.operation.id).update(**tamper(decided.operation))
    assert decided.match is Match.DIFFERENT
    assert "Stored preview was changed" in read(decided.page()).text


def test_the_rules_that_asked_are_part_of_what_was_shown(decided: Decided) -> None:
    Approval.objects.update(rules=[])
    assert decided.match is Match.DIFFERENT


def test_what_happens_afterwards_changes_nothing(decided: Decided, settings) -> None:
    """Whoever asked is deleted, keys are rotated, the operation ends: what was decided on is still the same."""
    User.objects.get(username="dora").delete()
    settings.ENCRYPTION_KEYS = ["new", settings.SECRET_KEY]
    resealing.reseal_all()
    Operation.objects.filter(id=decided.operation.id).update(status="succeeded", uid="another", is_written=True)
    assert decided.match is Match.SAME
    settings.ENCRYPTION_KEYS = ["lost"]
    assert decided.match is Match.UNREADABLE
    assert "cannot be compared with the digest" in read(decided.page()).text


def test_the_page_says_when_retention_has_removed_the_preview_and_when_nothing_explains_it(
    decided: Decided, monkeypatch
) -> None:
    Operation.objects.all().delete()
    assert "although the retention of operations does not reach them" in read(decided.page()).text
    RetentionPolicy.objects.create(pk=1, operations_days=0)
    assert "removed after 0 days" in read(decided.page()).text


def test_an_approval_of_an_earlier_version_has_a_short_digest(waiting: Operation, decided: Decided) -> None:
    for digest, match in ((Approval.objects.get(operation=waiting).digest, Match.SAME), ("0" * 64, Match.UNKNOWN)):
        entry = decided.entry
        entry.text = f"SetEnv {digest[:16]} looks right"
        entry.hash = chain.digest(entry)
        assert decisions.decisions([entry])[0].match is match


def test_an_entry_that_was_changed_is_told(decided: Decided) -> None:
    entry = decided.entry
    entry.text = entry.text.replace("looks right", "looks wrong")
    assert decisions.decisions([entry])[0].match is Match.ENTRY_CHANGED


def test_an_override_and_a_refusal_are_decisions_too(world, ref, mirror) -> None:
    ProtectionRule.objects.create(permissions=["deploy"], needs_reason=False)
    boss = User.objects.create_superuser("boss")
    submit(SECOND, ref, Actor(boss.pk, "boss"), reason="outage", break_glass=True)
    client = FormClient()
    client.force_login(boss)
    (entry,) = Entry.objects.filter(action="protect.override")
    text = read(client.get(reverse("audit-decision", kwargs={"sequence": entry.sequence}))).text
    assert "Emergency override" in text
    assert "*/*: outage" in text
    assert "Stored preview unchanged" in text
    Operation.objects.update(status="cancelled")
    dora = member("dora", "deployer")
    waiting = submit(SetEnv("app", (EnvEntry("A", "b"),)), ref, Actor(dora.pk, "dora"))
    approvals.decline(waiting, user=boss, actor=Actor(boss.pk, "boss"), comment="not on Friday")
    listed = read(client.get(reverse("audit-decisions"))).text
    assert "Refusal" in listed
    assert "Emergency override" in listed
    assert "Emergency override" not in rows_of(client, "?action=protect.decline")


def rows_of(client: FormClient, query: str) -> str:
    return read(client.get(reverse("audit-decisions") + query)).text.partition("Preview")[2]


def test_an_auditor_of_one_namespace_sees_the_decisions_of_that_namespace(decided: Decided) -> None:
    narrowed = FormClient()
    narrowed.force_login(member("nora", "auditor", namespace="elsewhere"))
    assert narrowed.get(reverse("audit-decision", kwargs={"sequence": decided.entry.sequence})).status_code == 404
    assert "ruth" not in read(narrowed.get(reverse("audit-decisions"))).text
    file = narrowed.post(reverse("audit-decisions-export", kwargs={"form": "json"}))
    assert json.loads(file.content)["rows"] == []


def test_files_say_what_the_page_says_and_leave_an_entry(decided: Decided) -> None:
    address = reverse("audit-decisions-export", kwargs={"form": "json"}) + "?namespace=default&zone=UTC"
    facts = json.loads(decided.client.post(address).content)
    (row,) = facts["rows"]
    assert facts["is_complete"] is True
    assert (row["decided_by"], row["decision"], row["stored_preview"]) == ("ruth", "protect.approve succeeded", "same")
    table = decided.client.post(address.replace("json", "csv")).content.decode()
    (line,) = csv.DictReader(io.StringIO(table))
    assert line["comment"] == "looks right"
    assert "kept-from-auditors" not in table
    assert Entry.objects.filter(action="audit.export", text="csv decisions namespace=default").exists()


def test_a_page_of_decisions_costs_the_same_queries_however_many_there_are(
    decided: Decided, django_assert_max_num_queries
) -> None:
    entries = [decided.entry] * 40
    with django_assert_max_num_queries(3):
        decisions.decisions(entries)
