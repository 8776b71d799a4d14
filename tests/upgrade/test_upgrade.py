"""What was under way in an installation of the version before comes to its true end with the code of today."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test.utils import override_settings
from kombu.transport.memory import Channel

from console.access import audit_exports
from console.access.actors import Actor
from console.access.models import User
from console.access.refusals import PreviewGone
from console.audit import checkpoints, verification
from console.audit.models import Entry, Export, ExportPart, SavedFilter
from console.operations.lookups import form_choices
from console.operations.models import Draft, Operation, Preview, TimelineLine
from console.operations.models.protection import Approval
from console.operations.models.statuses import ACTIVE, TERMINAL
from console.operations.protection import approvals
from console.operations.protection.approval_digest import digest
from console.operations.submitting import drafts, submission
from console.queue import TaskName
from console.redis_client import client
from console.request_tests import sending
from console.request_tests.models import AccessTest
from tests.broker import broker
from tests.operations.factories import SERVICES, World
from tests.operations.steps import finish
from tests.redis_server import RedisServer
from tests.sandbox_process import sandbox
from tests.upgrade.restoring import Rows, Saved, another_database, deliver
from tests.waiting import eventually

BEFORE = Path(__file__).parent / "f802b20"
TRUE_ENDS = {
    "queued": ("succeeded", ""),
    "cancelled": ("cancelled", ""),
    "created": ("succeeded", ""),
    "deleted": ("succeeded", ""),
    "claimed": ("succeeded", ""),
    "after-write": ("succeeded", ""),
    "line-written": ("succeeded", ""),
    "missing-image": ("failed", "image-missing"),
    "waiting": ("succeeded", ""),
    "waiting-late": ("expired", "expired"),
}


@dataclass(frozen=True)
class Upgraded:
    """The installation after the upgrade, when workers have done all that was left to do."""

    world: World
    saved: Saved
    kept_before: Rows
    kept_after: Rows
    requested: dict[str, str]  # digests of what waited for approval, by service, before anybody decided


@pytest.fixture(scope="module")
def upgraded(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any, redis_process: RedisServer
) -> Iterator[Upgraded]:
    folder, saved = tmp_path_factory.mktemp("upgrade"), Saved(BEFORE / "database.json")
    (folder / "cluster.json").write_text((BEFORE / "cluster.json").read_text())
    redis_process.empty()
    form_choices._kept.clear()
    with (
        django_db_blocker.unblock(),
        another_database(folder),
        sandbox(speed=50, state=folder / "cluster.json", knative="1.15") as box,  # the cluster is not upgraded
        override_settings(**settings_of(saved, box, redis_process)),
        broker("memory://"),
    ):
        client.cache_clear()
        current_app.loader.import_default_modules()  # as a worker does when it starts
        saved.load()
        before = saved.kept()
        call_command("migrate", verbosity=0)
        after = saved.kept()
        call_command("migrate", verbosity=0)
        requested = {operation.name: digest(operation) for operation in Operation.objects.filter(status="waiting")}
        decide(saved)
        work_off(old_messages())
        yield Upgraded(World(box), saved, before, after, requested)
    client.cache_clear()
    form_choices._kept.clear()


def settings_of(saved: Saved, box: Any, redis: RedisServer) -> dict[str, Any]:
    """Those of before, with all that they had then."""
    ingress = f"{box.ingress_host}:{box.ingress_port}"
    cluster = {"name": "box", "url": box.url, "token": box.token, "ingress": ingress, "sandbox": True}
    return {
        "CLUSTERS": json.dumps([cluster]),
        "REDIS_URL": redis.url,
        "SECRET_KEY": saved.secret_key,
        "SECRET_KEY_FALLBACKS": [],
        "ENCRYPTION_KEYS": [],
        "AUDIT_KEYS": [],
        "OPERATION_ERROR_WINDOW": 0.2,
    }


def decide(saved: Saved) -> None:
    """Somebody approves what they were shown before the upgrade."""
    ruth = User.objects.get(username="ruth")
    actor = Actor(ruth.pk, ruth.username, "192.0.2.8", "request-of-ruth")
    operation = Operation.objects.get(name="waiting")
    approvals.approve(operation, user=ruth, actor=actor, seen_digest=saved.digests["waiting"], comment="right")


def old_messages() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((BEFORE / "messages.json").read_text())["messages"]
    return found


def work_off(messages: list[dict[str, Any]]) -> None:
    """Do what today's workers and beat do, beginning with the messages, until nothing is left to do."""
    Channel.queues.clear()
    for message in messages:
        deliver(message)
    eventually(a_round, message="not all of it ends")


def a_round() -> bool:
    """Sweep, and run what is queued; returns whether all has ended."""
    for name in (TaskName.SWEEP, TaskName.SWEEP_EXPORTS, TaskName.SWEEP_REQUEST_TESTS):
        current_app.tasks[name.value].apply(throw=True)
    for queue in list(Channel.queues.values()):
        while not queue.empty():
            deliver(queue.get_nowait())
    is_open = Operation.objects.filter(status__in=ACTIVE) or Export.objects.filter(finished_at=None)
    return not is_open and not AccessTest.objects.filter(finished_at=None)


def test_each_migration_since_then_can_be_taken_back_without_losing_anything(upgraded: Upgraded):
    assert upgraded.kept_after == upgraded.kept_before
    counts = Counter(row["model"] for row in upgraded.saved.rows)
    assert {name: len(rows) for name, rows in upgraded.kept_after.items()} == counts


def test_each_operation_comes_to_its_true_end(upgraded: Upgraded):
    found = {
        operation.name: (operation.status, operation.cause.get("code", ""))
        for operation in Operation.objects.exclude(name="ended")
    }
    assert found == TRUE_ENDS


def test_the_cluster_has_what_the_operations_say(upgraded: Upgraded):
    listed = upgraded.world.box.get("/apis/serving.knative.dev/v1/namespaces/default/services")["items"]
    generations = {each["metadata"]["name"]: each["metadata"]["generation"] for each in listed}
    del generations["previewed"]  # a test of its own applies that
    assert generations == {
        **dict.fromkeys(("cancelled", "waiting-late", "previewed-late", "tested", "tested-in-part", "created"), 1),
        **dict.fromkeys(("queued", "claimed", "after-write", "line-written", "missing-image", "waiting"), 2),
        "ended": 3,
    }
    for name in ("queued", "claimed", "after-write", "line-written"):
        assert upgraded.world.env(name) == {"TARGET": "Second"}


def test_no_line_and_no_end_is_told_twice(upgraded: Upgraded):
    for operation in Operation.objects.all():
        lines = list(TimelineLine.objects.filter(operation=operation))
        assert [line.sequence for line in lines] == list(range(1, len(lines) + 1)), operation
        assert [line.level for line in lines].count("header") <= 1, operation
        assert [line.elapsed for line in lines] == sorted(line.elapsed for line in lines), operation
    ends = Entry.objects.filter(action__in=[f"operation.{status.value}" for status in TERMINAL])
    told = Counter(ends.values_list("operation", flat=True))
    ended_by_worker = Operation.objects.exclude(status="expired").values_list("id", flat=True)
    assert told == Counter(ended_by_worker)


def test_what_was_shown_before_is_what_the_approval_lets_through(upgraded: Upgraded):
    assert upgraded.requested == upgraded.saved.digests
    operation = Operation.objects.get(name="waiting")
    assert digest(operation) == Approval.objects.get(operation=operation).digest
    expected = spec_before("waiting")
    expected["template"]["spec"]["containers"][0]["env"][0]["value"] = "Second"
    now = upgraded.world.get("waiting")
    # The sandbox of today fills in more defaults than the one that kept the service: both sides have them.
    made = upgraded.world.box.put(f"{SERVICES.format('default')}/waiting?dryRun=All", {**now, "spec": expected})
    assert now["spec"] == made["spec"]
    told = Entry.objects.filter(operation=operation.id).order_by("sequence")
    assert [(entry.action, entry.actor) for entry in told] == [
        ("deploy.SetEnv", "dora"),
        ("protect.request", "dora"),
        ("protect.approve", "ruth"),
        ("operation.succeeded", "dora"),
    ]


def spec_before(name: str) -> dict[str, Any]:
    """The service's spec as the cluster had it when the upgrade began."""
    objects = json.loads((BEFORE / "cluster.json").read_text())["objects"]
    found: dict[str, Any] = next(
        each["spec"]
        for each in objects
        if (each["apiVersion"], each["kind"], each["metadata"]["name"]) == ("serving.knative.dev/v1", "Service", name)
    )
    return found


def test_a_preview_can_be_applied_and_an_old_one_says_that_it_has_expired(upgraded: Upgraded):
    dora = User.objects.get(username="dora")
    actor = Actor(dora.pk, dora.username, "192.0.2.7", "request-of-dora")
    ids = {row["fields"]["name"]: row["pk"] for row in upgraded.saved.rows if row["model"] == "operations.preview"}
    with transaction.atomic():
        operation = finish(submission.submit(ids["previewed"], user=dora, actor=actor))
        transaction.set_rollback(True)
    assert operation.status == "succeeded"
    assert upgraded.world.env("previewed") == {"TARGET": "Second"}
    with pytest.raises(PreviewGone):
        submission.submit(ids["previewed-late"], user=dora, actor=actor)
    assert set(Preview.objects.values_list("name", flat=True)) == {"previewed"}


def test_what_somebody_typed_is_in_the_form_again(upgraded: Upgraded):
    draft = drafts.latest(User.objects.get(username="dora"), "/services/box/default/previewed/env")
    assert isinstance(draft, Draft)
    assert (draft.fields, draft.on_preview) == ({"value": ["Typed"]}, {"reason": ["ticket 12"]})


def test_an_export_of_which_a_part_was_written_has_each_entry_once(upgraded: Upgraded):
    export = Export.objects.get()
    parts = ExportPart.objects.filter(export=export)
    lines = b"".join(audit_exports.unpacked(part) for part in parts).decode().splitlines()
    wanted = Entry.objects.filter(cluster="box", sequence__gte=export.oldest, sequence__lte=export.newest)
    assert [json.loads(line)["sequence"] for line in lines] == list(wanted.values_list("sequence", flat=True))
    assert (export.error, export.percent, export.written) == ("", 100, len(lines))
    assert SavedFilter.objects.get().query == "actor=dora"


def test_requests_are_sent_or_the_test_says_that_it_was_cut_short(upgraded: Upgraded):
    found = {test.name: (test.sent, test.failed, test.error) for test in AccessTest.objects.all()}
    assert found == {"tested": (20, 0, ""), "tested-in-part": (8, 0, sending.CUT_SHORT)}


def test_each_name_of_a_task_is_still_answered_from_a_queue_that_a_worker_takes(upgraded: Upgraded):
    queues = {settings.BACKGROUND_QUEUE, current_app.conf.task_default_queue}
    for message in old_messages():
        assert message["headers"]["task"] in current_app.tasks
        assert message["properties"]["delivery_info"]["routing_key"] in queues


def test_the_chain_of_the_log_goes_on_and_holds_the_checkpoint_of_before(upgraded: Upgraded):
    marks = tuple(checkpoints.read(upgraded.saved.checkpoint))
    last = Entry.objects.first()
    assert last is not None
    assert last.sequence > marks[0].sequence
    assert verification.verify(checkpoints=marks) == last.sequence
