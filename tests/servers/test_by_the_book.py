"""Backup, restore, rotation and upgrade of a console of real processes, by the commands of docs/operations.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry
from console.knative.changes import EnvEntry, SetEnv
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.operations.models.protection import ProtectionRule
from console.operations.models.statuses import Status
from console.operations.protection import approvals
from console.redis_client import client
from tests.faults.checks import end_of, is_complete
from tests.faults.stage import Stage, stage
from tests.operations.steps import submit
from tests.servers.conftest import actor
from tests.servers.documented import Shell, commands
from tests.upgrade.restoring import Saved
from tests.upgrade.test_upgrade import BEFORE, TRUE_ENDS, old_messages
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


def change(value: str) -> SetEnv:
    return SetEnv("app", (EnvEntry("TARGET", value),))


def service(running: Stage, name: str) -> ServiceRef:
    running.world.create(name)
    return ServiceRef("box", "default", name)


def start(running: Stage, shell: Shell) -> None:
    """Start what works without web, with the settings that the operator's shell has now."""
    running.environment |= {name: value for name, value in shell.settings.items() if name.startswith("CONSOLE_")}
    running.worker()
    running.watcher()
    running.beat()


def stop(running: Stage) -> None:
    for process in running.processes:
        running.stop(process)
    connection.close()


def waits_for_approval(running: Stage, author: Actor) -> Operation:
    ref = service(running, "protected")
    ProtectionRule.objects.create(namespace="default", service="protected", permissions=["deploy"], needs_reason=False)
    waiting = submit(change("approved"), ref, author)
    assert waiting.status == Status.WAITING
    return waiting


def approve(waiting: Operation, by: User) -> Operation:
    found = Operation.objects.get(id=waiting.id)
    digest = found.approval.digest
    approvals.approve(found, user=by, actor=actor(by, "request-of-ruth"), seen_digest=digest)
    return end_of(found)


def is_recording() -> bool:
    return Entry.objects.filter(action="outside.begin").exists()


def outside(name: str) -> list[tuple[str, str]]:
    told = Entry.objects.filter(action__startswith="outside.", service=name).exclude(action="outside.create")
    return list(told.order_by("sequence").values_list("action", "text"))


def is_sound(shell: Shell) -> str:
    """`doctor` exits with 1 while something does not work; workers, beat and watcher may just have started."""

    def asked() -> str:
        return shell.run("python manage.py doctor")

    return eventually(asked, interval=0.5)


@pytest.mark.parametrize("running", ["postgresql", "sqlite"], indirect=True)
def test_a_backup_is_restored(running: Stage, shell: Shell, dora: Actor, ruth: User) -> None:
    """Before the backup an end and a request for approval; after it a change that the restored database lacks."""
    kind = NAMES[connection.vendor]
    early, late = service(running, "early"), service(running, "late")
    start(running, shell)
    eventually(is_recording)
    ended, waiting = end_of(submit(change("early"), early, dora)), waits_for_approval(running, dora)
    shell.run(commands(f"**Back up {kind}**"))
    lost = end_of(submit(change("late"), late, dora))
    assert {ended.status, lost.status} == {Status.SUCCEEDED}
    stop(running)
    proved = shell.run(commands(f"**Restore {kind}**"))
    assert "the chain is intact, and has all of 1 checkpoints" in proved
    assert not Operation.objects.filter(id=lost.id).exists()
    start(running, shell)
    assert approve(waiting, ruth).status == Status.SUCCEEDED
    assert is_complete(Operation.objects.get(id=ended.id))
    assert running.world.env("protected")["TARGET"] == "approved"
    told = f"generation 2 · operation {lost.id} by dora is not recorded"
    eventually(lambda: outside("late") == [("outside.unrecorded", told)], message=lambda: str(outside("late")))
    assert (outside("early"), outside("protected")) == ([], [])
    is_sound(shell)


def test_keys_are_rotated_while_operations_wait(
    running: Stage, shell: Shell, dora: Actor, ruth: User, settings: Any
) -> None:
    start(running, shell)
    eventually(is_recording)
    waiting = waits_for_approval(running, dora)
    shell.run(commands("**Back up PostgreSQL**"))
    stop(running)
    queued = submit(change("queued"), service(running, "queued"), dora)
    shell.run(commands("**To rotate the secret key**"))
    start(running, shell)
    assert end_of(queued).status == Status.SUCCEEDED
    is_sound(shell)
    resealed = shell.run(commands("the secrets of second factors with the new key, while the console keeps running"))
    assert "operations.Operation.sealed_change: 2 re-encrypted" in resealed
    stop(running)
    shell.settings["CONSOLE_SECRET_KEY_FALLBACKS"] = ""
    start(running, shell)
    settings.SECRET_KEY = shell.settings["CONSOLE_SECRET_KEY"]
    client.cache_clear()
    assert approve(waiting, ruth).status == Status.SUCCEEDED
    proved = shell.run(commands("that it signed need its public key, which `audit checkpoint --public-key` printed"))
    assert "has all of 1 checkpoints" in proved
    eventually(lambda: Operation.objects.filter(status=Status.SUCCEEDED).count() == 2)
    assert (outside("queued"), outside("protected")) == ([], [])


def test_the_first_version_is_upgraded(django_db_blocker: Any, tmp_path: Path, settings: Any) -> None:
    """With everything under way that an installation of the first version left (tests/upgrade)."""
    saved = Saved(BEFORE / "database.json")
    (tmp_path / "cluster.json").write_text((BEFORE / "cluster.json").read_text())
    cluster = {"state": tmp_path / "cluster.json", "knative": "1.15"}
    with django_db_blocker.unblock(), stage(database="postgresql", **cluster) as running:
        settings.SECRET_KEY = running.environment["CONSOLE_SECRET_KEY"] = saved.secret_key
        saved.load()
        for message in old_messages():
            queue = message["properties"]["delivery_info"]["routing_key"]
            client().lpush(queue, json.dumps(message))
        shell = Shell(tmp_path, running.environment)
        connection.close()
        shell.run(commands("Make a backup, and keep the list of migrations with it"))
        assert "[X]" in (tmp_path / "sluice.migrations").read_text()
        assert "the chain is intact" in shell.run(
            commands("install the new version, and bring the database up to date")
        )
        start(running, shell)
        running.background()
        User.objects.create_superuser("root")  # an installation without an administrator is not sound
        approve(Operation.objects.get(name="waiting"), User.objects.get(username="ruth"))
        left = Operation.objects.exclude(name="ended")
        eventually(lambda: not any(each.is_open for each in left.all()), timeout=120)
        assert {one.name: (one.status, one.cause.get("code", "")) for one in left.all()} == TRUE_ENDS
        is_sound(shell)
