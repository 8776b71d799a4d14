"""Against what a real control plane did: every object can be read, every change ends as it ended there."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from console.knative import diff, kn, root_causes
from console.knative.conditions import parse_time
from console.knative.objects import KubeObject, Revision, Route, Service
from console.knative.progress import Follow, Outcome, Phase
from tests import recording

KINDS: dict[str, type[KubeObject]] = {
    "services": Service,
    "configurations": KubeObject,
    "revisions": Revision,
    "routes": Route,
}
ENDS = {
    "create": Outcome.SUCCEEDED,
    "env-update": Outcome.SUCCEEDED,
    "image-update": Outcome.SUCCEEDED,
    "split-50-50": Outcome.SUCCEEDED,
    "split-50-25-25": Outcome.SUCCEEDED,
    "split-unknown-revision": Outcome.FAILED,
    "split-recover": Outcome.SUCCEEDED,
    "split-tags": Outcome.SUCCEEDED,
    "split-latest-plus-named": Outcome.SUCCEEDED,
    "split-tag-only-0-percent": Outcome.SUCCEEDED,
    "update-with-pinned-traffic-new-revision": Outcome.NOT_SERVING,
    "bad-env-name": Outcome.NOT_SERVING,
    "dup-env": Outcome.NOT_SERVING,
    "unresolvable-image": Outcome.FAILED,
    "image-recover": Outcome.FAILED,
    "image-recover2": Outcome.NOT_SERVING,
    "byo-revision-name": Outcome.NOT_SERVING,
}
CAUSES = {"split-unknown-revision": "revision-missing", "unresolvable-image": "image-missing"}


def test_every_object_of_every_kind_can_be_read() -> None:
    read = dict.fromkeys(KINDS, 0)
    for entry in recording.entries():
        if entry["kind"] in KINDS:
            view = KINDS[entry["kind"]](entry["obj"])
            assert view.name
            assert view.created_at
            assert str(view.tally)
            assert view.ready.status in ("True", "False", "Unknown")
            assert all(c.changed_at for c in view.conditions)
            read[entry["kind"]] += 1
    assert min(read.values()) > 20


@pytest.mark.parametrize("name", ENDS)
def test_a_change_ends_as_it_ended_there(name: str) -> None:
    service = Service(next(recording.services(name))[1])
    makes_revision = any(e["kind"] == "revisions" and e["ev"] == "ADDED" for e in recording.step(name))
    follow = Follow(service.generation, makes_revision, service.latest_created_revision)
    revision, route, began, lines = None, None, False, []
    for entry in recording.step(name):
        if entry["kind"] == "revisions" and entry["ev"] != "DELETED":
            revision = Revision(entry["obj"])
        elif entry["kind"] == "routes":
            route = Route(entry["obj"])
        elif entry["kind"] == "services":
            service, began = Service(entry["obj"]), True
        if began:
            lines += follow.observe(entry["t"], service, revision)
    lines += follow.observe(entry["t"] + follow.error_window, service, revision)
    assert follow.outcome is ENDS[name]
    assert [one.elapsed for one in lines] == sorted(one.elapsed for one in lines)
    assert all(earlier.text != later.text for earlier, later in pairwise(lines))
    if follow.outcome is Outcome.FAILED:
        assert root_causes.find(service, revision=revision, route=route).code == CAUSES.get(name, "image-missing")
    else:
        assert lines[-1].text == "Ready to serve."
        assert list(follow.phases) == [phase for phase in Phase if phase in follow.phases]


def test_the_lists_are_those_that_kn_prints_of_the_same_objects() -> None:
    """After the split in three, `3 OK / 4` of revisions that are scaled to zero included."""
    *_, (_, raw) = recording.services("split-50-25-25")
    service = Service(raw)
    latest: dict[str, Revision] = {}
    for entry in recording.entries():
        if entry["kind"] == "revisions":
            latest[entry["obj"]["metadata"]["name"]] = Revision(entry["obj"])
        if entry["step"] == "split-unknown-revision":
            break
    assert service.created_at
    now = service.created_at + timedelta(days=9, minutes=5)
    revisions = kn.newest_first(list(latest.values()))
    rows = [kn.revision_row(one, service, now) for one in revisions]
    cells = [(r.name, r.service, r.traffic, r.tags, r.generation, r.age, r.conditions, r.ready, r.reason) for r in rows]
    assert cells == [
        ("greet-00003", "greet", "50%", "", "3", "9d", "3 OK / 4", "True", ""),
        ("greet-00002", "greet", "25%", "", "2", "9d", "3 OK / 4", "True", ""),
        ("greet-00001", "greet", "25%", "", "1", "9d", "3 OK / 4", "True", ""),
    ]
    row = kn.service_row(service, now)
    assert (row.name, row.url, row.latest, row.age, row.conditions, row.ready, row.reason) == (
        "greet",
        "http://greet.default.example.com",
        "greet-00003",
        "9d",
        "3 OK / 3",
        "True",
        "",
    )


def test_a_failed_service_shows_the_reason_as_kn_prints_it() -> None:
    *_, (_, raw) = recording.services("unresolvable-image")
    row = kn.service_row(Service(raw), parse_time("2100-01-01T00:00:00Z"))
    assert row.ready == "False"
    assert row.reason.startswith('RevisionFailed : Revision "greet-00007" failed with message: Unable to fetch image')


@pytest.mark.parametrize(
    ("name", "makes_revision"),
    [(name, "update" in name or name in ("dup-env", "image-recover2", "byo-revision-name")) for name in ENDS][1:10],
)
def test_what_makes_a_revision_is_told_before_the_cluster_does(name: str, makes_revision: bool) -> None:
    """The service as each step found it against the one that it wrote."""
    before = None
    for entry in recording.entries():
        if entry["kind"] == "services":
            if entry["step"] == name:
                break
            before = Service(entry["obj"])
    after = Service(next(recording.services(name))[1])
    assert before
    assert diff.creates_revision(before, after) is makes_revision
