"""What others change in a cluster is told once, with who, what and which tool; our own changes are not told again."""

from __future__ import annotations

import copy
import time
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.audit.models import Entry, WatchedCluster, WatchedService
from console.audit.verification import verify
from console.cluster.resources import SERVICES
from console.knative.references import ServiceRef
from console.mirror import keys, store
from console.mirror.read import KindState
from console.mirror.store import MirrorWriter
from console.operations.external import detection
from console.operations.models import Operation
from console.redis_client import client
from console.sealing import seal
from tests import factories

pytestmark = pytest.mark.django_db
REF = ServiceRef("box", "default", "shop")


class Cluster:
    """A cluster of which the mirror holds what a test says, as a watcher would have written it."""

    seal_key = b"seal"

    def __init__(self) -> None:
        self.version = 100
        self.objects = {"shop": factories.service()}
        self.start_watcher()

    def start_watcher(self) -> None:
        """A watcher takes the lead and lists everything."""
        client().set(keys.LEADER, "test")
        self.writer = MirrorWriter(client(), "box", "test", self.seal_key)
        self.writer.replace_all(SERVICES, self.objects.values())
        self.writer.note(SERVICES, msgspec.json.encode(KindState(time.time(), str(self.version))))

    def rotate(self) -> None:
        """The installation has a new secret key: the watcher hides the same values behind other digests."""
        self.seal_key = b"another key"
        self.start_watcher()

    def lose_redis(self) -> None:
        client().flushall()

    def put(self, raw, *, generations: int = 1, tool: str = "kubectl-edit", who: str = "bob@shop.example") -> None:
        """Somebody writes the object."""
        self.version += 1
        metadata = {**raw["metadata"], "resourceVersion": str(self.version)}
        metadata["generation"] = raw["metadata"]["generation"] + generations
        metadata["managedFields"] = [
            {"manager": "old", "time": "2026-11-01T10:00:00Z"},
            {"manager": tool, "time": "2026-11-24T10:00:00Z"},
            {"manager": "controller", "time": "2026-11-24T10:00:01Z", "subresource": "status"},
        ]
        metadata["annotations"] = {**metadata["annotations"], "serving.knative.dev/lastModifier": who}
        self.objects[raw["metadata"]["name"]] = {**raw, "metadata": metadata}
        self.writer.put(SERVICES, self.objects[raw["metadata"]["name"]])

    def edit(self, value: str = "Changed", **more) -> None:
        """Somebody changes the variable TARGET and the timeout."""
        raw = copy.deepcopy(self.objects["shop"])
        spec = raw["spec"]["template"]["spec"]
        spec["containers"][0]["env"][0]["value"] = value
        spec["timeoutSeconds"] += 1
        self.put(raw, **more)

    def relabel(self, value: str, **more) -> None:
        raw = copy.deepcopy(self.objects["shop"])
        raw["metadata"]["labels"]["tier"] = value
        self.put(raw, generations=0, **more)

    def delete(self, name: str) -> None:
        self.version += 1
        self.writer.drop(SERVICES, self.objects.pop(name))


@pytest.fixture
def cluster(redis_server) -> Cluster:
    """A cluster with shop, at which the log has looked."""
    found = Cluster()
    detection.look()
    return found


def told() -> list[Entry]:
    return list(
        Entry.objects.filter(action__startswith="outside.").exclude(action="outside.begin").order_by("sequence")
    )


def operation(kind: str = "SetEnv", **more) -> Operation:
    facts = {"uid": "uid-default-shop", "is_written": True, "status": "succeeded", "actor": "dora", **more}
    return Operation.objects.create(
        cluster="box",
        namespace="default",
        name="shop",
        kind=kind,
        sealed_change=seal({}),
        sealed_seen=seal({}),
        **facts,
    )


def test_the_first_look_tells_where_the_log_begins_and_nothing_else(cluster: Cluster) -> None:
    assert [(e.action, e.cluster, e.text) for e in Entry.objects.all()] == [("outside.begin", "box", "1 services")]
    assert detection.look() == 0


def test_a_change_is_told_with_who_what_and_the_tool(cluster: Cluster) -> None:
    cluster.edit()
    assert detection.look() == 1
    (entry,) = told()
    assert (entry.action, entry.actor, entry.actor_id, entry.service) == (
        "outside.change",
        "bob@shop.example",
        None,
        "shop",
    )
    assert entry.text == "generation 5 · kubectl-edit"
    assert entry.changes == [
        {"field": "spec.template.spec.timeoutSeconds", "before": "120", "after": "121"},
        {"field": "spec.template.spec.containers[app].env[TARGET].value", "before": "••••", "after": "••••"},
    ]
    assert verify() == 2


def test_no_value_of_a_variable_reaches_the_database(cluster: Cluster) -> None:
    cluster.edit("outside-value-7")
    detection.look()
    with connection.cursor() as cursor:
        cursor.execute("SELECT changes, text FROM audit_entry")
        assert "outside-value" not in str(cursor.fetchall())
    for row in WatchedService.objects.all():
        assert "outside-value" not in str(detection._object(row))
        assert factories.SECRET_VALUE not in str(detection._object(row))


def test_a_change_is_told_once_whatever_happens_to_watchers_and_redis(cluster: Cluster) -> None:
    cluster.edit()
    for _ in range(2):
        detection.look()
        cluster.start_watcher()  # lists again
        detection.look()
        cluster.lose_redis()
        detection.look()
        cluster.start_watcher()
        detection.look()
    assert len(told()) == 1


def test_a_change_while_redis_was_away_is_told(cluster: Cluster) -> None:
    cluster.lose_redis()
    client().set(keys.LEADER, "test")
    cluster.edit()
    assert detection.look() == 0  # the list is not finished
    cluster.start_watcher()
    assert detection.look() == 1


def test_a_copy_from_before_is_not_taken_for_a_change(cluster: Cluster) -> None:
    before = copy.deepcopy(cluster.objects["shop"])
    cluster.edit()
    detection.look()
    cluster.writer.put(SERVICES, before)  # Redis came back with what it had saved
    assert detection.look() == 0
    cluster.start_watcher()
    assert detection.look() == 0


def test_several_changes_between_two_looks_are_one_entry_that_says_so(cluster: Cluster) -> None:
    cluster.edit(generations=3)
    detection.look()
    assert [(entry.actor, entry.text) for entry in told()] == [("", "generations 5–7 · not observed one by one")]


def test_a_change_of_ours_is_not_told_again(cluster: Cluster) -> None:
    operation(generation=5)
    cluster.edit()
    assert detection.look() == 0
    cluster.edit()
    assert detection.look() == 1
    assert told()[0].text == "generation 6 · kubectl-edit"


def test_one_that_a_worker_wrote_and_died_is_known_by_its_name_on_the_object(cluster: Cluster) -> None:
    ours = operation(generation=5, is_written=False, status="running")
    cluster.objects["shop"]["metadata"]["annotations"]["sluice.dev/operation"] = str(ours.id)
    cluster.edit()
    assert detection.look() == 0


def test_one_that_was_written_after_its_operation_had_ended_is_told_as_that(cluster: Cluster) -> None:
    """Cancelled, and then a request that had been sent before arrived; somebody else wrote after it."""
    ours = operation(generation=5, is_written=False, status="cancelled")
    cluster.objects["shop"]["metadata"]["annotations"]["sluice.dev/operation"] = str(ours.id)
    cluster.edit(generations=2)
    assert detection.look() == 1
    assert told()[-1].text.startswith(f"generations 5–6 · 5 is operation {ours.id}")
    late = Entry.objects.get(action="operation.written-late")
    assert (late.operation, late.actor, late.text) == (ours.id, "dora", "SetEnv generation 5")
    ours.refresh_from_db()
    assert (ours.status, ours.is_written, ours.generation) == ("cancelled", True, 5)
    assert [line.text for line in ours.lines.all()] == ["written-late"]
    detection.look()
    assert Entry.objects.filter(action="operation.written-late").count() == 1


def test_an_annotation_that_stayed_from_an_earlier_operation_of_ours_excuses_nobody(cluster: Cluster) -> None:
    ours = operation(generation=4)
    cluster.objects["shop"]["metadata"]["annotations"]["sluice.dev/operation"] = str(ours.id)
    cluster.edit()
    assert detection.look() == 1


def test_an_operation_that_nobody_here_knows_is_from_outside(cluster: Cluster) -> None:
    cluster.objects["shop"]["metadata"]["annotations"]["sluice.dev/operation"] = str(uuid4())
    cluster.edit()
    assert detection.look() == 1


def mark(cluster: Cluster, generation: int) -> str:
    """The object carries the console's marks of an operation that the database does not have."""
    lost = str(uuid4())
    cluster.objects["shop"]["metadata"]["annotations"] |= {
        "sluice.dev/operation": lost,
        "sluice.dev/changed-by": "dora",
        "sluice.dev/changed-generation": str(generation),
    }
    return lost


def test_a_change_of_ours_whose_record_a_restore_lost_is_told_as_that(cluster: Cluster) -> None:
    lost = mark(cluster, 5)
    cluster.edit(tool="sluice", who="system:serviceaccount:sluice:sluice")
    assert detection.look() == 1
    (entry,) = told()
    assert (entry.action, entry.actor) == ("outside.unrecorded", "")
    assert entry.text == f"generation 5 · operation {lost} by dora is not recorded"
    assert "spec.template.spec.timeoutSeconds" in [row["field"] for row in entry.changes]


def test_of_several_generations_one_that_a_restore_lost_is_named(cluster: Cluster) -> None:
    lost = mark(cluster, 7)
    cluster.edit(generations=3, tool="sluice")
    assert detection.look() == 1
    text = f"generations 5–7 · operation {lost} by dora is not recorded · not observed one by one"
    assert [(entry.action, entry.text) for entry in told()] == [("outside.unrecorded", text)]


def test_labels_of_an_operation_that_a_restore_lost_are_told_as_that(cluster: Cluster) -> None:
    lost = mark(cluster, 4)
    cluster.relabel("back", tool="sluice")
    assert detection.look() == 1
    (entry,) = told()
    assert (entry.action, entry.text) == ("outside.unrecorded", f"operation {lost} by dora is not recorded")


@pytest.mark.parametrize(("generation", "tool"), [(5, "kubectl-edit"), (4, "sluice"), (6, "sluice")])
def test_marks_of_the_console_alone_do_not_make_a_change_ours(cluster: Cluster, generation: int, tool: str) -> None:
    """Marks stay on an object when somebody writes after the console."""
    mark(cluster, generation)
    cluster.edit(tool=tool)
    assert detection.look() == 1
    assert told()[0].action == "outside.change"


def test_another_secret_key_is_no_change_of_what_is_hidden(cluster: Cluster) -> None:
    cluster.objects["shop"]["metadata"]["annotations"]["example.com/api-token"] = "hidden-by-a-digest"
    cluster.relabel("front")
    detection.look()
    before = len(told())
    cluster.rotate()
    assert detection.look() == 0
    cluster.objects["shop"]["metadata"]["annotations"]["example.com/api-token"] = "another"
    cluster.relabel("front")
    assert detection.look() == 1
    assert len(told()) == before + 1


def test_of_several_generations_ours_is_named(cluster: Cluster) -> None:
    ours = operation(generation=5)
    cluster.edit(generations=2)
    detection.look()
    assert told()[0].text == f"generations 5–6 · 5 is operation {ours.id} · kubectl-edit"


def test_labels_that_change_without_a_generation_are_told_of_nobody(cluster: Cluster) -> None:
    raw = copy.deepcopy(cluster.objects["shop"])
    raw["metadata"]["labels"]["tier"] = "back"
    cluster.put(raw, generations=0, tool="kubectl-label")
    detection.look()
    (entry,) = told()
    assert (entry.actor, entry.text) == ("", "kubectl-label")
    assert entry.changes == [{"field": "metadata.labels.tier", "before": "front", "after": "back"}]


LABEL = {"field": "metadata.labels.tier", "path": ["metadata", "labels", "tier"], "before": "front", "after": "back"}


def test_labels_that_others_change_beside_a_change_of_ours_are_told(cluster: Cluster) -> None:
    """Labels choose grants and rules, so nobody may hide a change of them behind an operation."""
    operation(generation=5)
    cluster.edit()
    cluster.relabel("back")
    cluster.lose_redis()
    cluster.start_watcher()  # both are seen as one
    assert detection.look() == 1
    (entry,) = told()
    assert (entry.action, entry.actor) == ("outside.change", "")
    assert entry.changes == [{key: LABEL[key] for key in ("field", "before", "after")}]


@pytest.mark.parametrize(("value", "count"), [("back", 0), ("hidden", 1)])
def test_of_labels_that_an_operation_wrote_only_other_values_are_told(cluster: Cluster, value: str, count: int) -> None:
    ours = operation("SetLabels", generation=4, changes=[LABEL])
    cluster.objects["shop"]["metadata"]["annotations"]["sluice.dev/operation"] = str(ours.id)
    cluster.relabel(value)
    assert detection.look() == count


def test_a_status_tells_nothing(cluster: Cluster) -> None:
    raw = copy.deepcopy(cluster.objects["shop"])
    raw["status"]["conditions"] = []
    cluster.put(raw, generations=0, who="bob@shop.example")
    assert detection.look() == 0


def test_a_new_service_is_told_with_its_creator(cluster: Cluster) -> None:
    raw = factories.service("cart")
    raw["metadata"]["generation"] = 0
    cluster.put(raw, tool="kn")
    detection.look()
    (entry,) = told()
    assert (entry.action, entry.actor, entry.text) == ("outside.create", "alice@shop.example", "generation 1 · kn")
    assert any(row["field"] == "spec.traffic" for row in entry.changes)
    assert factories.SECRET_VALUE not in str(entry.changes)


def test_a_service_that_is_gone_is_told_when_it_stays_so(cluster: Cluster) -> None:
    del cluster.objects["shop"]
    cluster.start_watcher()  # its list does not have it
    assert detection.look() == 0
    assert detection.look() == 0
    WatchedService.objects.update(missing_since=timezone.now() - timedelta(seconds=6))
    assert detection.look() == 1
    assert (told()[0].action, told()[0].service) == ("outside.delete", "shop")
    assert detection.look() == 0


def restored(ago: timedelta) -> None:
    """The log last looked then, as after a restore of a backup from that time."""
    WatchedCluster.objects.update(confirmed_at=timezone.now() - ago)


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_deletion_of_a_time_without_records_is_not_called_one_from_outside(cluster: Cluster, is_seen: bool) -> None:
    """Perhaps an operation of the console made it, whose record a restore lost: nothing tells."""
    restored(timedelta(hours=2))
    if is_seen:
        cluster.delete("shop")
    else:
        del cluster.objects["shop"]
        cluster.start_watcher()
        assert detection.look() == 0
        WatchedService.objects.update(missing_since=timezone.now() - timedelta(seconds=6))
    assert detection.look() == 1
    (entry,) = told()
    since = (timezone.now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H")
    assert entry.action == "outside.gone"
    assert entry.text.startswith(f"generation 4 · nothing is recorded from {since}")
    assert entry.text.endswith("+00:00 on")


def test_a_deletion_that_the_console_watched_is_one_from_outside(cluster: Cluster) -> None:
    restored(timedelta(seconds=20))
    cluster.delete("shop")
    assert detection.look() == 1
    assert [(entry.action, entry.text) for entry in told()] == [("outside.delete", "generation 4")]


def test_one_that_was_deleted_and_recreated_is_recorded_twice(cluster: Cluster) -> None:
    raw = factories.service()
    raw["metadata"] |= {"uid": "another", "generation": 0}
    cluster.put(raw)
    assert detection.look() == 2
    assert [entry.action for entry in told()] == ["outside.delete", "outside.create"]


def test_our_deletion_and_our_creation_are_not_told_again(cluster: Cluster) -> None:
    operation("DeleteService", base_version="100", is_written=False)
    operation("CreateService", uid="another", generation=1)
    raw = factories.service()
    raw["metadata"] |= {"uid": "another", "generation": 0}
    cluster.put(raw)
    assert detection.look() == 0


def test_an_old_operation_on_another_service_of_that_name_excuses_nobody(cluster: Cluster) -> None:
    operation(uid="of-long-ago", generation=5)
    cluster.edit()
    assert detection.look() == 1


def test_ten_thousand_services_do_not_cost_ten_thousand_queries(cluster: Cluster) -> None:
    many = {f"s{n}": factories.service(f"s{n}") for n in range(300)}
    cluster.objects |= many
    cluster.writer.replace_all(SERVICES, cluster.objects.values())
    detection.look()
    cluster.edit()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert detection.look() == 1
    assert len(queries) < 34
    with CaptureQueriesContext(connection) as queries:
        assert detection.look() == 0
    assert len(queries) < 6
    cluster.start_watcher()
    with CaptureQueriesContext(connection) as queries:
        assert detection.look() == 0
    assert len(queries) < 30


def test_each_of_three_people_within_one_look_is_told_with_their_own_change(cluster: Cluster) -> None:
    for who, tool in (("ann", "kubectl-edit"), ("ben", "kn"), ("cyd", "argocd-controller")):
        cluster.edit(who, who=who, tool=tool)
    assert detection.look() == 3
    assert [(entry.actor, entry.text) for entry in told()] == [
        ("ann", "generation 5 · kubectl-edit"),
        ("ben", "generation 6 · kn"),
        ("cyd", "generation 7 · argocd-controller"),
    ]
    assert all("timeoutSeconds" in str(entry.changes) for entry in told())
    assert detection.look() == 0


def test_what_came_and_went_within_one_look_is_told_twice(cluster: Cluster) -> None:
    raw = factories.service("cart")
    raw["metadata"]["generation"] = 0
    cluster.put(raw, tool="kn")
    cluster.delete("cart")
    assert detection.look() == 2
    assert [(entry.action, entry.service, entry.actor) for entry in told()] == [
        ("outside.create", "cart", "alice@shop.example"),
        ("outside.delete", "cart", ""),
    ]
    assert detection.look() == 0


def test_labels_and_a_spec_changed_within_one_look_are_two_entries(cluster: Cluster) -> None:
    cluster.relabel("back", tool="kubectl-label")
    cluster.edit(who="ann")
    cluster.relabel("front", tool="kubectl-label")
    assert detection.look() == 3
    assert [(entry.actor, entry.text) for entry in told()] == [
        ("", "kubectl-label"),
        ("ann", "generation 5 · kubectl-edit"),
        ("", "kubectl-label"),
    ]


def test_after_a_watch_that_missed_changes_nobody_is_named_for_them(cluster: Cluster) -> None:
    cluster.edit(who="ann")
    cluster.lose_redis()
    client().set(keys.LEADER, "test")
    cluster.edit(who="ben")
    cluster.lose_redis()
    cluster.start_watcher()
    cluster.edit(who="cyd")
    detection.look()
    assert [(entry.actor, entry.text) for entry in told()] == [("", "generations 5–7 · not observed one by one")]


def test_a_restarted_watcher_between_two_changes_hides_neither_person(cluster: Cluster) -> None:
    cluster.edit(who="ann")
    cluster.start_watcher()
    cluster.edit(who="ben")
    detection.look()
    assert [entry.actor for entry in told()] == ["ann", "ben"]


def test_statuses_leave_no_trail_and_the_trail_has_an_end(cluster: Cluster, monkeypatch) -> None:
    monkeypatch.setattr(store, "KEPT_TRAIL", 200)
    for number in range(50):
        raw = copy.deepcopy(cluster.objects["shop"])
        raw["status"]["conditions"][0]["message"] = str(number)
        cluster.put(raw, generations=0)
    assert client().xlen(keys.trail("box")) <= 1
    for number in range(store.KEPT_TRAIL + 300):
        cluster.relabel(str(number))
    assert client().xlen(keys.trail("box")) < store.KEPT_TRAIL + 200


def test_no_value_of_a_variable_is_on_the_trail(cluster: Cluster) -> None:
    cluster.edit("outside-value-7")
    events = str(client().xrange(keys.trail("box")))
    assert "TARGET" in events
    assert "outside-value" not in events
    assert factories.SECRET_VALUE not in events


def test_an_event_that_somebody_wrote_into_redis_names_nobody(cluster: Cluster) -> None:
    """A forged change, and the true one with another person in it; an old one again tells nothing twice."""
    cluster.edit(who="ann")
    ((_, fields),) = client().xrange(keys.trail("box"), count=1)
    for forged in (fields["event"].replace('"ann"', '"eve"'), fields["event"].partition("{")[2], "", "{}"):
        client().xadd(keys.trail("box"), {"event": forged})
    client().xadd(keys.trail("box"), {"other": "field"})
    client().xadd(keys.trail("box"), fields)
    cluster.edit(who="ben")
    detection.look()
    assert [entry.actor for entry in told()] == ["ann", "ben"]
