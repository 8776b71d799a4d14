"""The key that encrypted what is stored is lost: every page says so in plain words, and what waits can be ended."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.access.actors import Actor
from console.access.models import Membership, User
from console.audit.models import Entry
from console.celery import app
from console.knative.causes import Code
from console.knative.changes import EnvEntry, SetEnv, dump
from console.operations.models import Draft, Operation, Preview
from console.operations.models.protection import Approval, ProtectionRule
from console.operations.models.statuses import Status
from console.operations.protection.approval_digest import digest
from console.operations.tasks import perform
from console.queue import TaskName
from console.registry.models import Cluster
from console.sealing import seal
from tests import factories
from tests.operations.steps import finish, submit
from tests.sweeps import sample, sweep
from tests.web.pages import read
from tests.web.test_access import TABLE, TASKS, THING, enter, things

__all__ = ["things"]

PLACE = {"cluster": "box", "namespace": "default", "name": "shop"}
CHANGE = SetEnv("app", (EnvEntry("TARGET", "canary-typed"),))
LOST = "encrypted with a key that the console no longer has"
ROWS = [{"path": ["spec", "template", "spec", "containers[app]", "env[TARGET]", "value"], "before": "", "after": ""}]


@pytest.fixture
def lost(things, settings) -> Iterator[dict[str, User]]:
    """Everything that the console encrypts, and then another key."""
    settings.ENCRYPTION_KEYS = ["the key of before"]
    for cluster in Cluster.objects.all():
        cluster.sealed_credential = seal({"token": "t"})
        cluster.save()
    fields = {"sealed_change": seal(dump(CHANGE)), "sealed_seen": seal(factories.service()), "changes": ROWS}
    Operation.objects.filter(id=THING).update(
        **fields, kind="SetEnv", is_written=True, makes_revision=True, status=Status.FAILED, uid="uid-default-shop"
    )
    Authenticator.objects.create(
        user=things["viewer"], type=Authenticator.Type.TOTP, data={"secret": seal("JBSWY3DPEHPK3PXP").decode()}
    )
    settings.ENCRYPTION_KEYS = ["another key"]
    return things


def operation(settings, user: User, status: Status = Status.WAITING, **facts) -> Operation:
    """One that somebody submitted while the console had the key."""
    now, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, ["the key of before"]
    made = Operation.objects.create(
        **PLACE,
        kind="SetEnv",
        user=user,
        actor=user.username,
        status=status,
        sealed_change=seal(dump(CHANGE)),
        sealed_seen=seal(factories.service()),
        sealed_salt=seal("salt"),
        changes=ROWS,
        expires_at=timezone.now() + timezone.timedelta(hours=1) if status == Status.WAITING else None,
        **facts,
    )
    if status == Status.WAITING:
        Approval.objects.create(operation=made, digest=digest(made), rules=[])
    settings.ENCRYPTION_KEYS = now
    return made


def actor_of(user: User) -> Actor:
    return Actor(user.pk, user.username, "192.0.2.7", "request-1")


def drafts_of(settings, user: User) -> None:
    """What the person typed into each form, and a preview of it, while the console had the key."""
    now, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, ["the key of before"]
    for name, (_, arguments, _) in TABLE.items():
        Draft.objects.create(user=user, path=reverse(name, kwargs=arguments), sealed_fields=seal({"form": {}}))
    fields = {"sealed_change": seal(dump(CHANGE)), "sealed_seen": seal(factories.service())}
    Preview.objects.create(**PLACE, user=user, changes=ROWS, **fields)
    settings.ENCRYPTION_KEYS = now


# What shows or uses what is encrypted; the other addresses are walked too where sweeps are whole.
UNSEALS = ("operation", "retry", "rollback", "cancel", "approve", "submit", "service", "history", "env", "cluster-edit")


@sweep
def test_every_address_answers_by_every_method(lost, settings, client: Client, world) -> None:
    administrator, owner = lost["administrator"], lost["owner"]
    Membership.objects.create(user=administrator, team=Membership.objects.get(user=owner).team)
    drafts_of(settings, administrator)
    client.raise_request_exception = False
    preview = Preview.objects.get()
    failed, answers = [], 0
    for name in dict.fromkeys([*UNSEALS, *sample(TABLE, one_in=len(TABLE))]):
        _, arguments, _ = TABLE[name]
        ids = [operation(settings, owner).id, preview.id] if arguments.get("id") == THING else []
        for id in [arguments.get("id"), *ids]:
            address = reverse(name, kwargs={**arguments, "id": id} if id else arguments)
            draft = Draft.objects.filter(user=administrator, path=address).first()
            queries = ["", f"?draft={draft.id}", f"?draft={draft.id}&preview=1"] if draft else [""]
            enter(client, name, administrator)
            sent = [client.get(address + query) for query in queries]
            sent.append(client.post(address, {"previews": [str(preview.id)], "comment": "why"}))
            failed += [(address, one.request["REQUEST_METHOD"]) for one in sent if one.status_code >= 500]
            answers += len(sent)
    assert failed == []
    assert answers > 2 * len(UNSEALS)


def test_a_waiting_change_says_so_and_can_only_be_declined(lost, settings, client: Client) -> None:
    found = operation(settings, lost["deployer"])
    client.force_login(lost["owner"])
    answer = client.get(f"/operations/{found.id}/")
    assert LOST in read(answer).text
    assert "Decline it" in read(answer).text
    page = answer.content.decode()
    assert "canary" not in page
    assert f"/operations/{found.id}/decline/" in page
    assert ">Approve<" not in page
    client.post(f"/operations/{found.id}/approve/", {"digest": found.approval.digest})
    assert Operation.objects.get(id=found.id).status == Status.WAITING
    client.post(f"/operations/{found.id}/decline/", {"comment": "make it again"})
    assert Operation.objects.get(id=found.id).status == Status.DECLINED
    assert found.approval.digest[:16] in Entry.objects.get(action="protect.decline").text


def test_its_author_withdraws_it(lost, settings, client: Client) -> None:
    found = operation(settings, lost["deployer"])
    client.force_login(lost["deployer"])
    assert "Withdraw it" in read(client.get(f"/operations/{found.id}/")).text
    client.post(f"/operations/{found.id}/withdraw/")
    assert Operation.objects.get(id=found.id).status == Status.CANCELLED


def test_who_may_not_decide_may_not_because_the_key_is_lost(lost, settings, client: Client) -> None:
    found = operation(settings, lost["deployer"])
    client.force_login(lost["viewer"])
    client.post(f"/operations/{found.id}/decline/", {"comment": "no"})
    client.post(f"/operations/{found.id}/withdraw/")
    assert Operation.objects.get(id=found.id).status == Status.WAITING


def test_a_worker_waits_for_the_key_and_carries_the_change_out_with_it(lost, settings, world, ref) -> None:
    settings.ENCRYPTION_KEYS = ["the key of before"]
    ProtectionRule.objects.all().delete()
    found = submit(CHANGE, ref, actor_of(lost["owner"]))
    settings.ENCRYPTION_KEYS = ["another key"]
    perform(str(found.id))
    found = Operation.objects.get(id=found.id)
    assert (found.status, [line.text for line in found.lines.all()]) == (Status.RUNNING, ["undecryptable"])
    settings.ENCRYPTION_KEYS = ["another key", "the key of before"]
    assert finish(found).status == Status.SUCCEEDED
    assert world.env(ref.name)["TARGET"] == "canary-typed"


def test_a_change_whose_key_never_comes_ends_at_its_timeout_or_when_it_is_cancelled(lost, settings) -> None:
    late = operation(settings, lost["owner"], Status.QUEUED, deadline_seconds=0)
    perform(str(late.id))
    late.refresh_from_db()
    assert (late.status, late.why and late.why.code) == (Status.FAILED, Code.UNDECRYPTABLE)
    cancelled = operation(settings, lost["owner"], Status.QUEUED, cancel_requested=True)
    perform(str(cancelled.id))
    assert Operation.objects.get(id=cancelled.id).status == Status.CANCELLED


def test_every_task_runs(lost, settings, world) -> None:
    waiting = operation(settings, lost["owner"], Status.QUEUED, cancel_requested=True)
    takes = {name: [str(waiting.id)] for name in (TaskName.PERFORM, TaskName.SEND_REQUESTS)}
    takes |= {TaskName.EXPORT_ENTRIES: [str(waiting.id), 0]}
    app.loader.import_default_modules()
    for name in TASKS:
        app.tasks[name.value].apply(takes.get(name, []), throw=True)
    assert Operation.objects.get(id=waiting.id).status == Status.CANCELLED


def test_a_second_factor_that_no_key_decrypts_lets_nobody_in(lost, client: Client) -> None:
    lost["viewer"].set_password("of-the-viewer-7")
    lost["viewer"].save()
    client.post("/accounts/login/", {"login": "viewer", "password": "of-the-viewer-7"})
    answer = client.post("/accounts/2fa/authenticate/", {"code": "123456"})
    assert (answer.status_code, "_auth_user_id" in client.session) == (409, False)
    assert "encrypted with a key that it no longer has" in read(answer).text


def test_second_factors_that_no_key_decrypts_are_removed_when_an_operator_asks_for_it(lost, client: Client) -> None:
    kept = Authenticator.objects.create(
        user=lost["owner"], type=Authenticator.Type.TOTP, data={"secret": seal("JBSWY3DPEHPK3PXP").decode()}
    )
    lost["viewer"].set_password("of-the-viewer-7")
    lost["viewer"].save()
    for given in ([], ["--remove-lost-second-factors"]):
        out = StringIO()
        with pytest.raises(CommandError, match="No key in CONSOLE_ENCRYPTION_KEYS decrypts"):
            call_command("reseal", *given, stdout=out)
        assert ("removed: totp of viewer" in out.getvalue()) is bool(given)
    assert list(Authenticator.objects.all()) == [kept]
    assert Entry.objects.get(action="second-factor.remove").text == "totp of viewer"
    client.post("/accounts/login/", {"login": "viewer", "password": "of-the-viewer-7"})
    assert client.session["_auth_user_id"] == str(lost["viewer"].pk)
