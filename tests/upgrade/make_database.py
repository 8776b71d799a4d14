"""Writes what an installation of an older version holds while much is under way, as data for test_upgrade.py.

It runs in a checkout of that version, with that version's code and its test helpers; README.md has the commands.
It starts a sandbox, lets people begin changes, exports and tests, kills workers in the middle, and leaves three files:

    database.json   the rows of every table of the console, and the leaf of each app's migrations
    cluster.json    the state file of the sandbox
    messages.json   the Celery messages that no worker has taken, as the broker keeps them
"""
# ruff: noqa: E402  Django is set up before anything of the console is imported

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["CONSOLE_SECRET_KEY"] = "only-for-the-upgrade-test-" + "k" * 40

import django

django.setup()

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from kombu.transport.memory import Channel

from console.access.actors import Actor
from console.access.auditing import visible_entries
from console.access.authorization import rights_of
from console.access.models import User
from console.audit import checkpoints, searching
from console.audit.models import Export, SavedFilter
from console.knative.changes import (
    CreateService,
    DeleteService,
    EnvEntry,
    SetEnv,
    SetImage,
    SplitTraffic,
)
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from tests.broker import broker
from tests.operations.conftest import person
from tests.operations.factories import GO, RUST, SERVICES, World, manifest
from tests.operations.steps import finish, submit
from tests.redis_server import RedisServer
from tests.sandbox_process import sandbox
from tests.waiting import eventually

# Where that version has them: by these names, which no tool moves along with the modules of today.
access_tests, audit_exports, drafts, models, previewing, submission, tasks, protection = (
    import_module(f"console.operations.{name}")
    for name in (
        "access_tests",
        "audit_exports",
        "drafts",
        "models",
        "previewing",
        "submission",
        "tasks",
        "protection.models",
    )
)

TABLES = ("access", "audit", "operations", "registry")
SECOND = SetEnv("app", (EnvEntry("TARGET", "Second"),))
ENTRIES_A_PART = 5
LEFT_OUT = ("Event", "Pod", "ClusterRole", "ClusterRoleBinding")
NOBODY = "worker-of-before/1/1"  # a machine that is gone


def main(folder: Path) -> None:
    """Make the three files in the folder."""
    call_command("migrate", verbosity=0)
    state = settings.STATE_DIR / "cluster.json"
    with redis_of_the_test(), sandbox(speed=50, state=state) as box, broker("memory://"):
        settings.CLUSTERS = json.dumps([cluster_of(box)])
        settings.OPERATION_ERROR_WINDOW = 0.2
        settings.OPERATION_DEADLINE = 120
        people = {name: actor(name, role) for name, role in ROLES.items()}
        begin_everything(World(box), people)
        messages = list(waiting_messages())
    write(folder / "database.json", database())
    write(folder / "cluster.json", cluster(json.loads(state.read_text())))
    write(folder / "messages.json", {"messages": messages})


ROLES = {"dora": "deployer", "ruth": "releaser", "anna": "auditor", "olga": "owner"}


def actor(name: str, role: str) -> Actor:
    user = person(name, role)
    return Actor(user.pk, user.username, "192.0.2.7", f"request-of-{name}")


def cluster_of(box: Any) -> dict[str, Any]:
    ingress = f"{box.ingress_host}:{box.ingress_port}"
    return {"name": "box", "url": box.url, "token": box.token, "ingress": ingress, "sandbox": True}


@contextmanager
def redis_of_the_test() -> Iterator[None]:
    server = RedisServer(settings.STATE_DIR)
    server.start()
    try:
        yield
    finally:
        server.kill()


def begin_everything(world: World, people: dict[str, Actor]) -> None:
    """Leave one of each thing that may be under way, each on a service of its own, named after it."""
    dora, olga = people["dora"], people["olga"]
    end_some(world, dora)
    begin_previews(world, dora)
    begin_requests(world, dora)
    submit(SECOND, made(world, "queued"), dora, reason="never taken by a worker")
    submission.cancel(submit(SECOND, made(world, "cancelled"), dora), actor=dora)
    submit(DeleteService(), made(world, "deleted"), olga)
    submit(CreateService(small("created")), ServiceRef("box", "default", "created"), olga)
    for step in ("claimed", "after-write", "line-written"):
        kill_worker_of(submit(SECOND, made(world, step), dora), step)
    kill_worker_of(submit(SetImage("app", "example.com/no/missing:1"), made(world, "missing-image"), dora), "written")
    begin_access_tests(world, dora)
    begin_export(people["anna"])


def made(world: World, name: str) -> ServiceRef:
    """A ready service. It is small, as what is sealed of it takes room; the one of the request is not."""
    world.box.post(SERVICES.format("default"), small(name))
    eventually(lambda: world.settled(name), message=f"{name} does not become ready")
    return ServiceRef("box", "default", name)


def small(name: str) -> dict[str, Any]:
    container = {"name": "app", "image": GO, "env": [{"name": "TARGET", "value": "First"}]}
    made = manifest(name)
    return {**made, "spec": {"template": {"spec": {"containers": [container]}}}}


def user_of(one: Actor) -> User:
    return User.objects.get(pk=one.user_id)


def end_some(world: World, dora: Actor) -> None:
    """Operations that have ended, for the log and for rolling back."""
    ref = made(world, "ended")
    finish(submit(SetImage("app", RUST), ref, dora, reason="done long ago"))
    finish(submit(SplitTraffic((TrafficTarget("ended-00001", 50), TrafficTarget("ended-00002", 50))), ref, dora))


def begin_previews(world: World, dora: Actor) -> None:
    """Two previews that nobody submitted, one of them too old by now, and what was typed into a form."""
    previewing.preview(SECOND, user=user_of(dora), ref=made(world, "previewed"))
    late = previewing.preview(SECOND, user=user_of(dora), ref=made(world, "previewed-late")).preview
    models.Preview.objects.filter(id=late.id).update(created_at=timezone.now() - timedelta(hours=3))
    path = "/services/box/default/previewed/env"
    drafts.note(drafts.keep(user_of(dora), path, {"value": ["Typed"]}), {"reason": ["ticket 12"]})


def begin_requests(world: World, dora: Actor) -> None:
    """A request that waits for approval, and one that has waited too long."""
    everything = ["deploy", "traffic", "operate", "delete"]
    protection.ProtectionRule.objects.create(permissions=everything, selector="guard=on", note="two people")
    protection.FreezeWindow.objects.create(
        permissions=everything, selector="guard=frozen", begins="2026-01-01T00:00", ends="2026-01-02T00:00", note="past"
    )
    for name in ("waiting", "waiting-late"):
        world.create(name, labels={"guard": "on"})
    submit(SECOND, ServiceRef("box", "default", "waiting"), dora, reason="ticket 7")
    late = submit(SECOND, ServiceRef("box", "default", "waiting-late"), dora, reason="ticket 8")
    models.Operation.objects.filter(id=late.id).update(expires_at=timezone.now() - timedelta(minutes=1))


def kill_worker_of(operation: Any, step: str) -> None:
    """Let a worker, a process of its own, die in the middle of the operation, and its lease run out."""
    connection.close()
    if (child := os.fork()) == 0:
        os.environ |= {"CONSOLE_FAULTS": "1", "CONSOLE_FAULT_STOP_AT": step}
        os.environ["CONSOLE_FAULT_MARKER"] = str(settings.STATE_DIR / f"died-{operation.name}")
        repeat(lambda: tasks.perform(str(operation.id)))
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the worker did not reach {step}"
    assert os.WTERMSIG(status) == signal.SIGKILL, status
    gone = timezone.now() - timedelta(seconds=20)
    operation.refresh_from_db()
    assert operation.is_active, f"{operation} has ended"
    models.Operation.objects.filter(id=operation.id).update(
        handed_over_at=gone - timedelta(seconds=6), lease_until=gone, lease_owner=NOBODY
    )


def repeat(work: Callable[[], None]) -> None:
    """Work in a child process until it is killed; never comes back."""
    try:
        for _ in range(40):
            work()
    finally:
        os._exit(1)


def begin_access_tests(world: World, dora: Actor) -> None:
    """One whose message waits, and one whose worker died after eight of its requests."""
    for name in ("tested", "tested-in-part"):
        ref = made(world, name)
        access_tests.start(ref, Service(world.get(name)), count=20, user=user_of(dora), actor=dora)
    models.AccessTest.objects.filter(name="tested-in-part").update(
        sent=8,
        by_revision={"tested-in-part-00001": 8},
        by_body={"Hello First!": 8},
        started_at=timezone.now() - timedelta(minutes=6),
    )


def begin_export(anna: Actor) -> None:
    """An export of which one part is written, and a filter that somebody saved."""
    user = user_of(anna)
    SavedFilter.objects.create(user=user, name="What dora did", query="actor=dora")
    found = searching.search(visible_entries(rights_of(user)), {"cluster": "box"})
    export = audit_exports.start(found, "jsonl", "cluster=box", user=user, actor=anna)
    audit_exports.SLICE = ENTRIES_A_PART
    assert audit_exports._write_part(export)
    Export.objects.filter(id=export.id).update(moved_at=timezone.now() - timedelta(seconds=30))


def waiting_messages() -> Iterator[dict[str, Any]]:
    """Each message that no worker has taken, and one of each further task, under the name that it has here."""
    for name in sorted(current_app.tasks):
        if name.startswith("console.") and not name.endswith((".perform", ".send_requests", ".export_entries")):
            current_app.tasks[name].apply_async()
    for queue in Channel.queues.values():
        while not queue.empty():
            message = queue.get_nowait()
            message["headers"]["origin"] = NOBODY
            yield message


def cluster(state: dict[str, Any]) -> dict[str, Any]:
    """The state of the sandbox without what it makes again, or nobody asks for."""
    kept = [each for each in state["objects"] if each["kind"] not in LEFT_OUT]
    return {**state, "objects": kept, "logs": {}}


def database() -> dict[str, Any]:
    """The rows as they are, but for what names this machine."""
    models.Operation.objects.update(clock_stamp="")
    models.Operation.objects.exclude(lease_owner="").update(lease_owner=NOBODY)
    leaves = MigrationLoader(connection).graph.leaf_nodes()
    found = [model for label in TABLES for model in apps.get_app_config(label).get_models()]
    ordered = serializers.sort_dependencies([(None, found)], allow_cycles=True)
    # Not as JSON: that drops the microseconds, which the chain of the log covers.
    rows = [row for model in ordered for row in serializers.serialize("python", model.objects.order_by("pk"))]
    return {
        "at": timezone.now().isoformat(),
        "secret_key": settings.SECRET_KEY,
        "migrations": leaves,
        "checkpoint": checkpoints.make().to_line(),
        "digests": {each.operation.name: each.digest for each in protection.Approval.objects.all()},
        "rows": rows,
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """One row, object or message a line."""
    lines = [f" {json.dumps(name)}: {line(value)}" for name, value in sorted(content.items())]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(path, path.stat().st_size)


def line(value: Any) -> str:
    if not isinstance(value, list):
        return compact(value)
    return "[\n  " + ",\n  ".join(map(compact, value)) + "\n ]"


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, default=lambda moment: moment.isoformat())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
