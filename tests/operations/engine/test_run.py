"""What becomes of a change, from the button to its end, against the sandbox."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator

import pytest

from console.access.actors import Actor
from console.access.models import Grant, User
from console.audit.models import Entry
from console.knative.authors import ActorKind, last_author
from console.knative.causes import Code
from console.knative.changes import (
    Combined,
    CreateService,
    DeleteService,
    Deploy,
    EnvEntry,
    Redeploy,
    Restart,
    RouteNewRevision,
    SetEnv,
    SetImage,
    SplitTraffic,
)
from console.knative.objects import OPERATION, Service
from console.knative.redaction import MASK
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations import faults
from console.operations.engine import following
from console.operations.models import Operation, Preview
from console.operations.models.statuses import Status
from console.operations.submitting import submission
from console.operations.submitting.submission import retry
from console.operations.tasks import perform
from tests.operations.factories import RUST, World, manifest
from tests.operations.steps import finish, submit
from tests.waiting import eventually

pytestmark = pytest.mark.django_db

SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))


@pytest.fixture
def in_haste(world: World) -> Iterator[None]:
    """A progress deadline of ten minutes passes within two seconds."""
    world.box.post("/sandbox/speed", {"speed": 400})
    yield
    world.box.post("/sandbox/speed", {"speed": 50})


def texts(operation: Operation) -> list[str]:
    return [line.text for line in operation.lines.all()]


def test_an_env_change_tells_kns_lines_and_ends_with_the_url(world: World, ref: ServiceRef, deployer: Actor):
    operation = finish(submit(SECOND, ref, deployer))
    assert operation.status == Status.SUCCEEDED
    assert texts(operation)[0] == f"Updating Service '{ref.name}' in namespace 'default':"
    assert texts(operation)[-3:] == [
        "Ready to serve.",
        f"Service '{ref.name}' updated to latest revision '{ref.name}-00002' is available at URL:",
        f"http://{ref.name}.default.example.com",
    ]
    assert world.env(ref.name)["TARGET"] == "Second"
    assert operation.generation == world.get(ref.name)["metadata"]["generation"] == 2
    elapsed = [line.elapsed for line in operation.lines.all()]
    assert elapsed == sorted(elapsed)


def test_everything_that_the_change_does_not_name_stays(world: World, ref: ServiceRef, deployer: Actor):
    before = world.get(ref.name)
    finish(submit(SECOND, ref, deployer))
    after = world.get(ref.name)
    expected = copy.deepcopy(before["spec"])
    expected["template"]["spec"]["containers"][0]["env"][0]["value"] = "Second"
    assert after["spec"] == expected


def test_a_split_makes_no_revision_and_says_so(world: World, ref: ServiceRef, deployer: Actor):
    finish(submit(SetImage("app", RUST), ref, deployer))
    targets = (TrafficTarget(f"{ref.name}-00001", 50), TrafficTarget(f"{ref.name}-00002", 50))
    operation = finish(submit(SplitTraffic(targets), ref, deployer))
    assert operation.status == Status.SUCCEEDED
    assert not operation.makes_revision
    assert f"Service '{ref.name}' with latest revision '{ref.name}-00002' (unchanged) is available at URL:" in texts(
        operation
    )
    shares = {each["revisionName"]: each["percent"] for each in world.get(ref.name)["status"]["traffic"]}
    assert shares == {f"{ref.name}-00001": 50, f"{ref.name}-00002": 50}


def test_a_new_revision_behind_a_pin_succeeds_without_serving(world: World, ref: ServiceRef, deployer: Actor):
    finish(submit(SplitTraffic((TrafficTarget(f"{ref.name}-00001", 100),)), ref, deployer))
    operation = finish(submit(SECOND, ref, deployer))
    assert operation.status == Status.NOT_SERVING
    assert operation.cause["code"] == "not-serving"


def test_a_new_revision_without_traffic_that_was_asked_for_is_told_apart_from_one_behind_a_pin(
    world: World, ref: ServiceRef, deployer: Actor
):
    operation = finish(submit(Deploy((SECOND, RouteNewRevision(0, "candidate"))), ref, deployer))
    assert operation.status == Status.NOT_SERVING
    assert operation.cause["code"] == "held-back"


def test_a_service_is_created_and_deleted(world: World, ref: ServiceRef, owner: Actor):
    new = ServiceRef("box", "default", f"new-{ref.name}")
    created = finish(submit(CreateService(manifest(new.name)), new, owner))
    assert created.status == Status.SUCCEEDED
    assert texts(created)[0] == f"Creating service '{new.name}' in namespace 'default':"
    assert created.uid == world.get(new.name)["metadata"]["uid"]
    deleted = finish(submit(DeleteService(), new, owner))
    assert deleted.status == Status.SUCCEEDED
    assert texts(deleted) == [f"Service '{new.name}' successfully deleted in namespace 'default'."]


@pytest.mark.parametrize(
    ("image", "code", "words"),
    [
        ("example.com/shop/missing:1", "image-missing", "Unable to fetch image"),
        ("example.com/shop/crash:1", "crash", "no such host"),
        ("example.com/shop/over-quota:1", "quota", "exceeded quota"),
        ("example.com/shop/private:1", "image-missing", "Unable to fetch image"),
        ("example.com/shop/pull-backoff:1", "image-missing", "ImagePullBackOff"),
        ("example.com/shop/never-ready:1", "probe", "probe"),
        ("example.com/shop/unschedulable:1", "unschedulable", "nodes are available"),
        ("example.com/shop/ingress-failure:1", "ingress", "ingress"),
    ],
)
def test_a_failure_names_its_cause(
    world: World, ref: ServiceRef, deployer: Actor, in_haste: None, image: str, code: str, words: str
):
    operation = finish(submit(SetImage("app", image), ref, deployer))
    assert operation.status == Status.FAILED
    assert operation.cause["code"] == code
    assert words in json.dumps(operation.cause)


@pytest.mark.parametrize(("source", "code"), [("secret", "secret-missing"), ("config-map", "config-map-missing")])
def test_a_missing_reference_is_named(
    world: World, ref: ServiceRef, deployer: Actor, in_haste: None, source: str, code: str
):
    entry = EnvEntry("URL", source=source, object="not-there", key="url")
    operation = finish(submit(SetEnv("app", (entry,)), ref, deployer))
    assert (operation.status, operation.cause["code"]) == (Status.FAILED, code)
    assert operation.cause["facts"]["name"] == "not-there"


def test_last_log_lines_outlive_the_pods(world: World, ref: ServiceRef, deployer: Actor):
    operation = finish(submit(SetImage("app", "example.com/shop/crash:1"), ref, deployer))
    world.delete(ref.name)
    assert "panic: dial tcp" in Operation.objects.get(id=operation.id).cause["logs"]


def test_what_the_webhook_refuses_is_not_written(world: World, ref: ServiceRef, deployer: Actor):
    targets = (TrafficTarget(f"{ref.name}-00001", 60), TrafficTarget(None, 50))
    operation = finish(submit(SplitTraffic(targets), ref, deployer))
    assert operation.status == Status.REFUSED
    assert operation.cause["raw"] == "Traffic targets sum to 110, want 100: spec.traffic"
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_a_retry_of_a_failure_makes_a_new_revision(world: World, ref: ServiceRef, deployer: Actor):
    failed = finish(submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer))
    again = finish(retry(failed, user=User.objects.get(pk=deployer.user_id), actor=deployer))
    assert again.retry_of_id == failed.id
    assert again.kind == "SetImage"
    assert again.revision == f"{ref.name}-00003"
    assert again.status == Status.FAILED


def test_a_change_that_is_there_already_ends_at_once(world: World, ref: ServiceRef, deployer: Actor):
    """Somebody did the same meanwhile, to a field that no one else changed: nothing is written twice."""
    operation = submit(Redeploy("2026-01-01T00:00:00Z"), ref, deployer)

    def the_same(service: dict) -> None:
        service["spec"]["template"]["metadata"]["annotations"]["client.knative.dev/updateTimestamp"] = (
            "2026-01-01T00:00:00Z"
        )

    world.edit(ref.name, the_same)
    Operation.objects.filter(id=operation.id).update(follow_state={"accepts_meanwhile": True})
    operation = finish(operation)
    assert operation.status == Status.UNCHANGED
    assert not operation.is_written
    assert world.get(ref.name)["metadata"]["generation"] == 2


def test_what_two_tools_did_to_other_fields_is_merged_and_told(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    world.edit(ref.name, lambda service: service["spec"]["template"]["spec"].update(timeoutSeconds=77))
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert world.get(ref.name)["spec"]["template"]["spec"]["timeoutSeconds"] == 77
    assert world.env(ref.name)["TARGET"] == "Second"
    told = [line for line in operation.lines.all() if line.text == "merged"]
    assert [line.facts["raw"] for line in told] == ["spec.template.spec.timeoutSeconds"]
    assert told[0].facts["who"] == "admin"


def test_nothing_is_told_of_a_service_that_nobody_touched(world: World, ref: ServiceRef, deployer: Actor):
    assert "merged" not in texts(finish(submit(SECOND, ref, deployer)))


def test_a_policy_of_the_cluster_is_named(world: World, ref: ServiceRef, deployer: Actor):
    """A webhook that is not Knative's answers 403: that is no lack of rights."""
    operation = finish(submit(SetImage("app", "example.com/shop/forbidden:1"), ref, deployer))
    assert (operation.status, operation.cause["code"]) == (Status.REFUSED, "policy")
    assert operation.cause["facts"]["name"]
    assert world.get(ref.name)["metadata"]["generation"] == 1


def test_a_crash_tells_its_exit_code_and_the_clusters_warnings(world: World, ref: ServiceRef, deployer: Actor):
    operation = finish(submit(SetImage("app", "example.com/shop/crash:1"), ref, deployer))
    assert operation.why.facts.exit_code == 1
    assert any(event.reason == "BackOff" for event in operation.why.warnings)


def test_a_restart_is_tried_again_with_the_same_rights(world: World, ref: ServiceRef, operator: Actor):
    """People who may operate and not deploy can restart, scale, and try both again."""
    first = submit(Restart("2026-01-01T00:00:00Z", {}), ref, operator)
    world.edit(ref.name, lambda service: service["metadata"]["annotations"].update(note="x"))
    Operation.objects.filter(id=first.id).update(is_written=True, status=Status.FAILED)
    first = Operation.objects.get(id=first.id)
    again = finish(retry(first, user=User.objects.get(pk=operator.user_id), actor=operator))
    assert (again.status, again.kind) == (Status.SUCCEEDED, "Restart")
    assert again.revision == f"{ref.name}-00002"


def test_a_conflict_shows_both_sides_and_writes_nothing(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)

    def theirs(service: dict) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "Theirs"

    world.edit(ref.name, theirs)
    operation = finish(operation)
    assert operation.status == Status.CONFLICTED
    assert operation.cause["conflicts"][0]["field"] == "spec.template.spec.containers[app].env[TARGET].value"
    assert operation.cause["facts"]["who"] == "admin"
    assert "Theirs" not in json.dumps(operation.cause)
    assert world.env(ref.name)["TARGET"] == "Theirs"


def test_a_conflict_with_a_colleague_names_the_colleague(world: World, ref: ServiceRef, deployer: Actor, owner: Actor):
    mine = submit(SECOND, ref, deployer)
    theirs = submit(SetEnv("app", (EnvEntry("TARGET", "Third"),)), ref, owner)
    Operation.objects.filter(id=mine.id).update(submitted_at=theirs.submitted_at)
    theirs = finish(theirs)
    mine = finish(mine)
    assert mine.status == Status.CONFLICTED
    assert mine.cause["facts"]["who"] == "olga"
    assert mine.cause["facts"]["operation"] == str(theirs.id)


def test_a_newer_write_supersedes_the_following_of_an_older(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(following, "SLICE_SECONDS", 0.1)
    monkeypatch.setattr(following, "WATCH_SECONDS", 1)
    slow = submit(SetImage("app", "example.com/shop/slow-pull:600s"), ref, deployer)
    world.box.post("/sandbox/speed", {"speed": 1})
    try:
        eventually(lambda: perform(str(slow.id)) or Operation.objects.get(id=slow.id).is_written)
    finally:
        world.box.post("/sandbox/speed", {"speed": 50})
    world.edit(ref.name, lambda service: service["spec"]["template"]["spec"].update(timeoutSeconds=78))
    assert finish(slow).status == Status.SUPERSEDED


def test_a_deleted_service_is_not_brought_back(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    world.delete(ref.name)
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.FAILED, "deleted-meanwhile")


def test_a_right_that_was_taken_away_counts_at_the_write(world: World, ref: ServiceRef, deployer: Actor):
    operation = submit(SECOND, ref, deployer)
    Grant.objects.all().delete()
    operation = finish(operation)
    assert (operation.status, operation.cause["code"]) == (Status.REFUSED, "not-allowed")
    assert world.get(ref.name)["metadata"]["generation"] == 1
    assert Entry.objects.order_by("-sequence").first().outcome == "refused"


def test_the_object_names_the_operation_and_the_person(world: World, ref: ServiceRef, deployer: Actor):
    operation = finish(submit(SECOND, ref, deployer))
    annotations = world.get(ref.name)["metadata"]["annotations"]
    assert annotations[OPERATION] == str(operation.id)
    assert annotations["sluice.dev/changed-by"] == "dora"
    assert last_author(Service(world.get(ref.name))) == ("dora", ActorKind.PERSON)
    events = world.box.get("/api/v1/namespaces/default/events")["items"]
    mine = [each for each in events if str(operation.id) in each.get("message", "")]
    assert [each["reason"] for each in mine] == ["OperationSucceeded"]
    assert "dora" in mine[0]["message"]


def test_the_audit_log_has_the_request_and_its_end(world: World, ref: ServiceRef, deployer: Actor):
    operation = finish(submit(SECOND, ref, deployer, reason="ticket 12"))
    entries = Entry.objects.filter(operation=operation.id).order_by("sequence")
    assert [(e.action, e.outcome, e.actor) for e in entries] == [
        ("deploy.SetEnv", "requested", "dora"),
        ("operation.succeeded", "succeeded", "dora"),
    ]
    assert entries[0].text == "ticket 12"


def test_no_secret_value_is_kept_in_the_clear(world: World, ref: ServiceRef, deployer: Actor, caplog):
    """A variable's value travels sealed; what people and logs see has a mask."""
    secret = "canary-value-91c3"
    operation = finish(submit(SetEnv("app", (EnvEntry("PASSWORD", secret),)), ref, deployer))
    row = json.dumps(Operation.objects.filter(id=operation.id).values().get(), default=repr)
    rest = json.dumps(
        [list(operation.lines.values()), list(Entry.objects.values())],
        default=str,
    )
    assert secret not in row + rest + caplog.text
    assert "canary-secret-first" not in row + rest + caplog.text
    assert world.env(ref.name)["PASSWORD"] == secret


def test_yesterdays_failure_is_not_todays(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    """A service that failed before says so until its controller has seen the new spec; that counts for nothing."""
    failed = finish(submit(SetImage("app", "example.com/shop/missing:1"), ref, deployer))
    assert failed.status == Status.FAILED
    operation = submit(SetImage("app", RUST), ref, deployer, limits=submission.Limits(error_window=0.0))

    def hold_the_controllers_back(where: str) -> None:
        if where == "before-write":
            world.box.post("/sandbox/speed", {"speed": 0.02})
        if where == "written":  # somebody's harmless edit shows the engine the service before the controllers saw it
            world.edit(ref.name, lambda service: service["metadata"]["annotations"].update(note="x"))
            threading.Timer(0.3, world.box.post, ("/sandbox/speed", {"speed": 50})).start()

    monkeypatch.setattr(faults, "reach", hold_the_controllers_back)
    operation = finish(operation)
    assert operation.status == Status.SUCCEEDED
    assert operation.revision == f"{ref.name}-00003"


def test_a_wait_for_a_node_that_is_over_does_not_beat_the_crash(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    def scheduler_spoke_before(point: str) -> None:
        if point != "outcome-known":
            return
        for pod in world.box.get("/api/v1/namespaces/default/pods")["items"]:
            if pod["metadata"]["name"].startswith(f"{ref.name}-00002-deployment-"):
                world.box.post(
                    "/api/v1/namespaces/default/events",
                    {
                        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "FailedScheduling",
                        "metadata": {"name": f"waited-{pod['metadata']['name']}", "namespace": "default"},
                        "message": "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available.",
                        "involvedObject": {"kind": "Pod", "namespace": "default", "name": pod["metadata"]["name"]},
                        "firstTimestamp": "2026-01-01T19:00:00Z", "lastTimestamp": "2026-01-01T19:00:05Z",
                    },
                )  # fmt: skip

    monkeypatch.setattr(faults, "reach", scheduler_spoke_before)
    operation = finish(submit(SetImage("app", "example.com/shop/crash:1"), ref, deployer))
    assert any(event.reason == "FailedScheduling" for event in operation.why.warnings)
    assert (operation.why.code, operation.why.facts.exit_code) == (Code.CRASH, 1)


def test_what_the_account_may_not_read_hides_no_cause_that_it_may(
    world: World, ref: ServiceRef, deployer: Actor, monkeypatch: pytest.MonkeyPatch
):
    def forbid_events(point: str) -> None:
        if point == "outcome-known":
            world.box.post("/sandbox/faults", {"resource": "events", "verb": "list", "code": 403, "times": 3})

    monkeypatch.setattr(faults, "reach", forbid_events)
    operation = finish(submit(SetImage("app", "example.com/shop/crash:1"), ref, deployer))
    assert (operation.why.code, operation.why.warnings) == (Code.CRASH, ())
    assert "panic: dial tcp" in operation.cause["logs"]


def test_a_crash_line_that_names_a_value_is_told_without_it(world: World, ref: ServiceRef, deployer: Actor, caplog):
    """The sandbox's crash prints the address of a database; here that address is the value of a variable."""
    value = "orders-db on 10.96.0.10:53"
    submitted = submit(
        Combined((SetEnv("app", (EnvEntry("ADDRESS", value),)), SetImage("app", "example.com/shop/crash:1"))),
        ref,
        deployer,
    )
    operation = finish(submitted)
    assert operation.cause["code"] == "crash"
    assert MASK in operation.why.raw + operation.why.logs
    rows = (Operation.objects, operation.lines, Entry.objects, Preview.objects)
    kept = json.dumps([list(each.values()) for each in rows], default=repr)
    assert "10.96.0.10" not in kept + caplog.text
    assert any(MASK in line.text for line in operation.lines.all())
