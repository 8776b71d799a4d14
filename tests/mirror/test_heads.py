"""What pages choose revisions by is what the revisions themselves say, also after they changed."""

from __future__ import annotations

import pytest

from console.cluster.resources import REVISIONS
from console.knative.kn import newest_first
from console.knative.references import ServiceRef
from console.mirror import heads, keys, read
from console.mirror.store import MirrorWriter
from console.redis_client import client
from tests import factories
from tests.support.calls import counted

SHOP = ServiceRef("box", "default", "shop")


def check() -> None:
    """The heads are those of the whole revisions."""
    whole = newest_first(read.revisions(SHOP))
    wanted = [(one.name, one.configuration_generation, one.ready.is_true) for one in whole]
    assert [(head.name, head.generation, head.is_ready) for head in heads.heads(SHOP)] == wanted


def test_heads_follow_revisions(mirror: MirrorWriter) -> None:
    check()
    check()
    failed = factories.revision(number=4)
    failed["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    mirror.put(REVISIONS, failed)
    assert not heads.heads(SHOP)[0].is_ready
    mirror.put(REVISIONS, factories.revision(number=9))
    check()
    mirror.drop(REVISIONS, factories.revision(number=1))
    check()


@pytest.mark.parametrize(
    "status", [{}, {"conditions": None}, {"conditions": [{"type": "Ready", "status": True}]}, {"conditions": [{}]}]
)
def test_whatever_a_status_holds_it_is_read_as_pages_read_it(mirror: MirrorWriter, status: dict) -> None:
    odd = factories.revision(number=3)
    odd["status"] = status
    odd["metadata"]["labels"]["serving.knative.dev/configurationGeneration"] = "x"
    mirror.put(REVISIONS, odd)
    check()


def test_a_record_that_the_watcher_did_not_write_is_left_out(mirror: MirrorWriter) -> None:
    key = keys.owned("box", "revisions", "default", "shop")
    client().hset(key, "shop-00002", str(client().hget(key, "shop-00003")))
    assert "shop-00002" not in {head.name for head in heads.heads(SHOP)}
    check()


def test_named_revisions_are_those_that_there_are_without_secrets(mirror: MirrorWriter) -> None:
    found = heads.named(SHOP, ["shop-00003", "shop-00999"])
    assert [one.raw for one in found] == [one.raw for one in read.revisions(SHOP) if one.name == "shop-00003"]
    assert heads.named(SHOP, []) == ()


def test_what_is_kept_is_bounded(mirror: MirrorWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MAX_RECORDS", 5)
    mirror.put(REVISIONS, factories.revision("other"))
    assert len(heads.heads(SHOP)) == 4
    heads.heads(ServiceRef("box", "default", "other"))
    assert sum(len(one.records) for one in heads._known.values()) <= 5


def test_what_changes_elsewhere_lets_nothing_be_read_again(mirror: MirrorWriter) -> None:
    mirror.put(REVISIONS, factories.revision("other"))
    heads.heads(SHOP)
    with counted(heads._read) as calls:
        check()
        mirror.put(REVISIONS, factories.revision("other"))
        mirror.put(REVISIONS, factories.revision("shop", 7, "elsewhere"))
        check()
        assert not calls
        mirror.put(REVISIONS, factories.revision("shop", 8))
        check()
    assert calls["_read"] == 1


def test_a_mirror_that_redis_lost_is_read_again(mirror: MirrorWriter) -> None:
    assert heads.heads(SHOP)
    client().flushall()
    assert heads.heads(SHOP) == ()
