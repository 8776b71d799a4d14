"""The copy that a process keeps of all revisions: joined with traffic, read by what changed."""

from __future__ import annotations

import pytest

from console.cluster.resources import REVISIONS, SERVICES
from console.mirror import keys, revision_copies, store
from console.mirror.revisions import MAX_TEXT, RevisionRow
from console.redis_client import client
from tests import factories

BOX = "box"


@pytest.fixture(autouse=True)
def _no_copy_of_another_test():
    revision_copies._clusters.clear()


def row(name: str, namespace: str = "default") -> RevisionRow:
    return revision_copies.copy(BOX).by_name[f"{namespace}/{name}"]


def split(*shares: tuple[str, int, str]) -> dict:
    """The service shop whose status has these shares: revision, percent, tag."""
    raw = factories.service()
    raw["status"]["traffic"] = [{"revisionName": name, "percent": part, "tag": tag} for name, part, tag in shares]
    return raw


def test_a_row_tells_what_kn_lists_of_a_revision(mirror):
    found = row("shop-00004")
    assert (found.service, found.generation, found.ready, found.reason) == ("shop", 4, "True", "")
    assert (found.conditions, found.health) == ("3 OK / 4", "ready")
    assert found.image == "registry.example.com/shop:1.4"
    assert found.percent == 10
    assert "canary" in found.tags
    assert found.labels == {"app": "shop", "tier": "front"}


def test_a_change_of_traffic_alone_changes_the_rows_of_its_service_only(mirror):
    mirror.put(SERVICES, factories.service("other"))
    mirror.put(REVISIONS, factories.revision("other", number=1))
    before = revision_copies.copy(BOX)
    mirror.put(SERVICES, split(("shop-00001", 100, "")))
    after = revision_copies.copy(BOX)
    assert (after.by_name["default/shop-00001"].percent, after.by_name["default/shop-00004"].percent) == (100, 0)
    assert after.changed_since(before) == {f"default/shop-0000{number}" for number in (1, 2, 3, 4)}
    assert after.by_name["default/other-00001"] is before.by_name["default/other-00001"]


def test_only_what_changed_is_read_again(mirror, monkeypatch):
    before = revision_copies.copy(BOX)
    monkeypatch.setattr(client(), "hgetall", lambda key: pytest.fail(f"{key} is read as a whole"))
    failed = factories.revision(number=2)
    failed["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "Crash", "message": "exit 1"}]
    mirror.put(REVISIONS, failed)
    mirror.drop(REVISIONS, factories.revision(number=1))
    mirror.put(REVISIONS, factories.revision(number=5))
    after = revision_copies.copy(BOX)
    assert after.by_name["default/shop-00002"].reason == "Crash : exit 1"
    assert set(after.by_name) == {f"default/shop-0000{number}" for number in (2, 3, 4, 5)}
    assert after.by_name["default/shop-00003"] is before.by_name["default/shop-00003"]
    mirror.put(SERVICES, split(("shop-00005", 100, "")))
    assert row("shop-00005").percent == 100, "a revision that came later is found by its service too"


def test_a_new_list_and_a_redis_that_lost_all_are_read_whole(mirror, redis_server):
    before = revision_copies.copy(BOX)
    redis_server.empty()
    client().set(keys.LEADER, "test")
    mirror.replace_all(REVISIONS, [factories.revision(number=9)])
    after = revision_copies.copy(BOX)
    assert set(after.by_name) == {"default/shop-00009"}
    assert after.changed_since(before) is None, "whoever kept rows compares all of them"


def test_the_changes_that_redis_remembers_are_bounded_between_lists_too(mirror, monkeypatch):
    monkeypatch.setattr(store, "KEPT_CHANGES", 3)
    for number in range(1, 9):
        mirror.put(REVISIONS, factories.revision(number=number))
    assert client().zcard(keys.revision_changes(BOX)) == 3


def test_a_revision_without_a_service_in_the_mirror_has_no_traffic_and_no_labels(mirror):
    mirror.put(REVISIONS, factories.revision("orphan", number=1))
    found = row("orphan-00001")
    assert (found.percent, found.tags, found.labels) == (0, (), {})


def test_no_value_and_no_endless_message_enters_a_row(mirror):
    failed = factories.revision(number=2)
    message = f"Container failed with: {'x' * 5000} dial {factories.SECRET_VALUE}"
    failed["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "Crash", "message": message}]
    failed["spec"]["containers"][0]["image"] = "user:s3cr3t-p4ss@registry.example.com/shop:1"
    mirror.put(REVISIONS, failed)
    records = str(client().hgetall(keys.revision_records(BOX)))
    assert factories.SECRET_VALUE not in records
    assert "s3cr3t" not in records
    assert len(row("shop-00002").reason) == MAX_TEXT


def test_a_forged_record_is_left_out(mirror):
    key = keys.revision_records(BOX)
    client().hset(key, "default/shop-00003", client().hget(key, "default/shop-00004"))
    assert "default/shop-00003" not in revision_copies.copy(BOX).by_name
    assert "default/shop-00004" in revision_copies.copy(BOX).by_name


def test_a_cluster_that_is_gone_leaves_no_records(mirror):
    mirror.forget_cluster()
    assert list(client().scan_iter(f"{keys.ROOT}:{BOX}:*")) == []
