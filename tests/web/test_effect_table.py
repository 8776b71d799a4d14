"""Every way into the engine x every effect x every set of permissions x free, protected or frozen by effect.

`make test` tries of each way the sets that are just enough and just too small; `make access-table` tries them all.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from console.access.models import Grant, Membership, Role, Team, User
from console.audit.models import Entry
from console.cluster.resources import SERVICES
from console.operations.models import Operation, Preview
from console.operations.models.protection import Approval, FreezeWindow, ProtectionRule
from console.operations.models.statuses import Status
from console.operations.tasks import perform
from console.sealing import seal
from tests.support.ways import DECIDING, KINDS, MANIFESTS, TRAFFIC, Way, address_of, subsets, ways
from tests.sweeps import IS_WHOLE
from tests.waiting import eventually
from tests.web.test_access import CALLS, TABLE, token_for
from tests.web.test_changes import Shown

Stop = tuple[str, str] | None
WAYS = tuple(ways())
NAMES = tuple(dict.fromkeys(way.name for way in WAYS))
STOPPING = tuple(itertools.product(("protected", "frozen"), KINDS))
STOPS: tuple[Stop, ...] = (None, *STOPPING)
BASE = frozenset({"view", "reveal"})
ALL = frozenset(KINDS)

tried: Counter[str] = Counter()


class Table:
    """A service, a person whose permissions are set for each try, and another team that a label would let in."""

    def __init__(self, shown: Shown) -> None:
        self.shown, self.client = shown, shown.client
        self.role = Role.objects.create(name="table", permissions=sorted(BASE))
        team, others = Team.objects.create(name="table"), Team.objects.create(name="others")
        self.user = User.objects.create_user("tess")
        Membership.objects.create(team=team, user=self.user)
        Grant.objects.create(team=team, role=self.role, cluster="box", namespace="default")
        auditors = Role.objects.create(name="auditing", permissions=["audit"])
        Grant.objects.create(
            team=others, role=auditors, cluster="box", namespace="default", selector="=".join(DECIDING)
        )
        self.client.force_login(self.user)

    def hold(self, *permissions: str) -> None:
        held = set(BASE) | set(permissions)
        if "manage" in held:
            held.add("audit")  # only people who can read the log can let others read it
        Role.objects.filter(pk=self.role.pk).update(permissions=sorted(held))

    def preview(self, way: Way) -> Preview | None:
        """Send the form and follow it to its preview; None when the person is told that they may not."""
        service = self.shown.service
        page = self.client.post(address_of(way, self.shown.path, service), way.fields(service))
        found = Preview.objects.filter(user=self.user).first()
        assert found or page.status_code in (200, 403, 422), page.status_code
        if found is None:
            assert "Nothing would change" not in page.content.decode(), f"{way} has no effect"
        return found

    def press(self, way: Way, preview: Preview) -> Operation | None:
        """Press the preview's button."""
        if way.name == "bulk":
            self.client.post(reverse("bulk-submit"), {"preview": [str(preview.id)]})
        else:
            self.client.post(reverse("submit", kwargs={"id": preview.id}))
        return Operation.objects.filter(user=self.user).first()

    def submit(self, way: Way) -> Operation:
        """Make the operation, with every permission."""
        self.client.force_login(self.user)
        self.hold(*ALL, "manage")
        preview = self.preview(way)
        assert preview, f"{way} makes no preview"
        operation = self.press(way, preview)
        assert operation, f"{way} makes no operation"
        return operation

    def approve(self, operation: Operation) -> str:
        """Press the button as the approver, and return the operation's status."""
        self.client.force_login(User.objects.get(username="releaser"))
        digest = Approval.objects.get(operation=operation).digest
        self.client.post(reverse("approve", kwargs={"id": operation.id}), {"digest": digest})
        return str(Operation.objects.get(id=operation.id).status)


@pytest.fixture
def table(client, world, mirror, people) -> Table:
    client.force_login(people["administrator"])
    shown = Shown(client, world, mirror)
    world.edit(shown.name, lambda raw: raw["spec"]["template"]["spec"].update(timeoutSeconds=55))
    eventually(lambda: world.settled(shown.name), message="the second revision does not come")
    shown.mirror_it()
    return Table(shown)


@pytest.fixture(scope="module", autouse=True)
def _figure() -> Iterator[None]:
    """What make access-table prints: how many tries of each outcome there were."""
    yield
    if IS_WHOLE:
        print(f"\neffect table: {len(WAYS)} ways and effects, {sum(tried.values())} tries: {dict(tried)}")


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside leaves nothing in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def put(stop: Stop) -> None:
    """Protect or freeze everything, for one kind of change."""
    if stop is None:
        return
    kind, permission = stop
    common = {"cluster": "box", "namespace": "default", "permissions": [permission]}
    if kind == "protected":
        ProtectionRule.objects.create(**common, needs_reason=False)
        return
    begins, ends = (f"{timezone.now() + timedelta(hours=hours):%Y-%m-%dT%H:%M}" for hours in (-1, 2))
    FreezeWindow.objects.create(**common, begins=begins, ends=ends, zone="UTC")


def expected(way: Way, held: frozenset[str], stop: Stop) -> str:
    if not way.allowed(held):
        return "refused"
    if stop is None or stop[1] not in way.needs:
        return "allowed"
    return "waits" if stop[0] == "protected" else "refused"


def came_of(operation: Operation | None) -> str:
    if operation is None:
        return "refused"
    return {Status.WAITING: "waits", Status.QUEUED: "allowed"}[Status(operation.status)]


def sets_for(way: Way) -> list[frozenset[str]]:
    """The sets of permissions to try: all of them, or what is just enough and just too small."""
    enough = way.needs | way.page
    more = [frozenset({"manage"})] if way.decides else []
    if IS_WHOLE:
        return [*subsets(), *(each | extra for each in subsets() for extra in more)]
    return [enough, *(enough | extra for extra in more), *(ALL - {one} for one in sorted(enough))]


def stops_for(way: Way) -> list[Stop]:
    """Nothing; a rule and a freeze of what the change does, and of what it does not: of each kind, or of one each."""
    if IS_WHOLE:
        return list(STOPS)
    some = {min(way.needs), *sorted(ALL - way.needs)[:1]}
    return [None, *((kind, permission) for kind, permission in STOPPING if permission in some)]


def check(way: Way, wanted: str, got: str, *about: Any) -> None:
    tried[wanted] += 1
    assert got == wanted, (str(way), *map(str, about))


def ways_of(name: str) -> list[Way]:
    return [way for way in WAYS if way.name == name]


def work_on(operation: Operation) -> Operation:
    """Do what a worker does in one turn."""
    perform(str(operation.id))
    return Operation.objects.get(id=operation.id)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_of_a_change_follows_from_its_effect(name: str, table: Table) -> None:
    tries = [(way, held) for way in ways_of(name) for held in sets_for(way)]
    for way, held in tries:
        cache.clear()  # repeats of a refusal leave no entry of their own
        with undone():
            table.hold(*held)
            preview = table.preview(way)
            if preview is None:
                check(way, expected(way, held, None), "refused", sorted(held))
                if way.page <= held:  # else the page itself refuses: tests/web/test_access.py
                    assert Entry.objects.filter(outcome="refused").exists(), f"{way}: no entry tells of the refusal"
                continue
            for stop in stops_for(way):
                with undone():
                    put(stop)
                    check(way, expected(way, held, stop), came_of(table.press(way, preview)), sorted(held), stop)


@pytest.mark.parametrize("name", NAMES)
def test_the_write_is_refused_by_its_effect_when_the_rights_or_rules_are_others_by_then(
    name: str, table: Table
) -> None:
    """Submitted with every permission and no rule; the worker asks again. Only what it must refuse is tried."""
    generation = table.shown.world.get(table.shown.name)["metadata"]["generation"]
    for way in ways_of(name):
        with undone():
            operation = table.submit(way)
            for held in sets_for(way):
                if held >= way.needs and (not way.decides or "manage" in held):
                    continue
                with undone():
                    table.hold(*held)
                    check(way, "refused", work_on(operation).status, sorted(held))
            for kind, permission in STOPPING:
                if permission in way.needs:
                    with undone():
                        put((kind, permission))
                        found = work_on(operation)
                        assert found.cause["code"] == {"protected": "protected-meanwhile", "frozen": "frozen"}[kind]
                        check(way, "stopped", found.status, kind, permission)
    assert table.shown.world.get(table.shown.name)["metadata"]["generation"] == generation


@pytest.mark.parametrize("name", NAMES)
def test_an_approved_change_is_judged_by_its_effect_too(name: str, table: Table, people) -> None:
    """Asked for under a rule; the approver's press meets freezes, and the write the author's rights of then."""
    for way in ways_of(name):
        with undone():
            put(("protected", min(way.needs)))
            operation = table.submit(way)
            assert operation.status == Status.WAITING
            for kind in KINDS:
                with undone():
                    put(("frozen", kind))
                    check(way, "waiting" if kind in way.needs else "queued", table.approve(operation), kind)
            assert table.approve(operation) == "queued"
            for lost in sorted(way.needs):
                with undone():
                    table.hold(*(ALL - {lost}), "manage")
                    check(way, "refused", work_on(operation).status, lost)


# A service that was created and did not start is there: its retry is another change, a new revision (test_engine.py).
RETRIED = [(name, written) for name in (NAMES if IS_WHOLE else ("yaml", "operate")) for written in (False, True)
           if not (written and name in ("create", "clone"))]  # fmt: skip


@pytest.mark.parametrize(("name", "is_written"), RETRIED)
def test_a_retry_needs_what_the_change_needed(name: str, is_written: bool, table: Table) -> None:
    for way in ways_of(name):
        again = replace(way, name=f"retry of {way.name}", page=frozenset())
        with undone():
            operation = table.submit(way)
            failed = {"status": Status.FAILED, "finished_at": timezone.now(), "is_written": is_written}
            Operation.objects.filter(id=operation.id).update(**failed)
            tries = [(held, None) for held in sets_for(way)] + [(way.needs, stop) for stop in stops_for(way)]
            for held, stop in tries:
                with undone():
                    table.hold(*held)
                    put(stop)
                    table.client.post(reverse("retry", kwargs={"id": operation.id}))
                    made = Operation.objects.filter(retry_of=operation.id).first()
                    check(again, expected(again, held, stop), came_of(made), sorted(held), stop)


def test_a_rollback_needs_traffic_whatever_it_takes_back(table: Table) -> None:
    name, seen = table.shown.name, table.shown.world.get(table.shown.name)
    seen["spec"]["traffic"] = [{"revisionName": f"{name}-00001", "percent": 100, "latestRevision": False}]
    operation = Operation.objects.create(
        cluster="box", namespace="default", name=name, kind="SplitTraffic", sealed_seen=seal(seen), actor="x",
        sealed_change=seal({"kind": "SplitTraffic", "targets": []}), status="succeeded", is_written=True,
        finished_at=timezone.now(),
    )  # fmt: skip
    way = Way("rollback", "split", frozenset({TRAFFIC}), frozenset(), "", lambda _service: {})
    for held in sets_for(way):
        with undone():
            table.hold(*held)
            table.client.post(reverse("rollback", kwargs={"id": operation.id}))
            preview = Preview.objects.filter(user=table.user).first()
            for stop in stops_for(way):
                with undone():
                    put(stop)
                    made = preview and table.press(way, preview)
                    check(way, expected(way, held, stop), came_of(made), sorted(held), stop)


@pytest.mark.parametrize("name", CALLS)
def test_the_api_changes_nothing_for_anybody(name: str, table: Table) -> None:
    text = token_for(User.objects.get(username="administrator"))[1]
    table.client.logout()
    way = Way("api", name, frozenset(), frozenset(), "", lambda _service: {})
    for method, edit in itertools.product(("post", "put", "patch", "delete"), MANIFESTS):
        body = copy.deepcopy(table.shown.service)
        edit[2](body)
        answer = getattr(table.client, method)(
            reverse(name, kwargs=TABLE[name][1]), body, content_type="application/json",
            headers={"authorization": f"Bearer {text}"},
        )  # fmt: skip
        check(way, "refused", "refused" if answer.status_code == 405 else str(answer.status_code), method)
    assert not Operation.objects.exists()
    assert not Preview.objects.exists()


@pytest.mark.parametrize(
    ("name", "beside"),
    [("settings", 'name="labels"'), ("create", 'name="labels"'), ("yaml", ""), ("bulk", ""), ("clone", "")],
)
def test_the_refusal_of_a_label_is_shown_beside_its_field_and_says_why(name: str, beside: str, table: Table) -> None:
    table.hold(*ALL)
    way = next(way for way in WAYS if way.name == name and (way.decides or name == "clone"))
    if name == "clone":  # the copy takes the label along
        table.shown.world.edit(
            table.shown.name, lambda raw: raw["metadata"].setdefault("labels", {}).update([DECIDING])
        )
        table.shown.service = table.shown.world.get(table.shown.name)
        table.shown.mirror.put(SERVICES, table.shown.service)
    address = address_of(way, table.shown.path, table.shown.service)
    page = table.client.post(address, way.fields(table.shown.service)).content.decode()
    said = re.search(r"The label “team” controls access to this service.{0,300}audit, manage", page, re.DOTALL)
    assert said
    if beside:
        assert page.rindex(beside, 0, said.start()) > said.start() - 1200
    assert Entry.objects.filter(action="audit.refused", text__contains="labels: team").exists()


def test_a_label_that_began_to_decide_since_the_preview_is_refused_with_its_reason(table: Table) -> None:
    table.hold(*ALL)
    way = next(way for way in WAYS if way.decides and way.name == "settings")
    grant = Grant.objects.get(team__name="others")
    Grant.objects.filter(pk=grant.pk).update(selector="other=label")
    preview = table.preview(way)
    assert preview
    grant.save()
    page = table.client.post(reverse("submit", kwargs={"id": preview.id}))
    assert page.status_code == 403
    assert "The label “team” controls access" in page.content.decode()
    assert not Operation.objects.exists()
