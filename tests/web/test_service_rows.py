"""A row of the services list that is used again is the row that would be rendered now, whatever changed."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from console.cluster.resources import REVISIONS, SERVICES
from console.knative.authors import ActorKind
from console.knative.causes import Code
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import Kind
from console.mirror.replicas import Replicas
from console.mirror.summaries import ServiceSummary, Share, summarize
from console.operations.models import Operation
from console.operations.models.protection import ProtectionRule
from console.operations.models.statuses import Status
from console.web import rows
from console.web.rows import Look, Row, UnderWay
from console.web.service_list import USUAL_COLUMNS, Column
from tests import factories
from tests.web.test_home import row_of, waiting

__all__ = ["owner"]

SHOP = summarize("box", Service(factories.service()))
LATER = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
# Of each field of a summary another value; those of `UNSEEN` decide about other things than the row.
OTHER = {
    "cluster": "rail",
    "namespace": "other",
    "name": "shop-2",
    "uid": "uid-2",
    "health": "progressing",
    "ready": "False",
    "reason": "RevisionMissing",
    "message": "it failed",
    "conditions": "1 OK / 3",
    "url": "https://elsewhere.example.com",
    "latest_ready": "shop-00009",
    "latest_created": "shop-00009",
    "shares": (Share("shop-00001", 100),),
    "truth": Kind.FOLLOWS_LATEST.value,
    "new_revision_percent": 7,
    "newer_not_serving": True,
    "labels": {"app": "other"},
    "image": "registry.example.com/shop:2",
    "owner": "argo-cd",
    "created_at": LATER,
    "changed_at": LATER,
    "changed_by": "carol@shop.example",
    "is_cluster_local": True,
    "changed_with": "kn",
    "changed_by_kind": ActorKind.PERSON.value,
    "cause": Code.QUOTA.value,
}
UNSEEN = {"ready", "labels", "changed_with"}
FAILED = msgspec.structs.replace(SHOP, health="failed", reason="RevisionFailed")
SPLIT = msgspec.structs.replace(SHOP, truth=Kind.SPLIT.value, newer_not_serving=False)
FACTS = {
    "replicas": Replicas(1, 2),
    "image": "registry.example.com/shop:1.3",
    "under_way": UnderWay(uuid.UUID(int=1), "deploy.SetImage", Status.RUNNING),
    "is_protected": True,
    "is_stale": True,
}
EVERYTHING = Look("en", frozenset(Column), may_pick=True, names_cluster=True)


def shown(row: Row, look: Look) -> str:
    """The row as pages show it; the same as a fresh one."""
    html = rows.rendered(row, look)
    with override(look.language):
        assert html == rows.fresh(row, look)
    return html


@pytest.mark.parametrize("field", OTHER)
def test_a_row_changes_with_each_fact_of_the_service_that_it_shows(field: str) -> None:
    differs = False
    for base in (SHOP, FAILED, SPLIT):  # a failed one tells its message, a split one the share of what is newest
        before = shown(Row(base), EVERYTHING)
        after = shown(Row(msgspec.structs.replace(base, **{field: OTHER[field]})), EVERYTHING)
        differs = differs or before != after
    assert differs == (field not in UNSEEN)


def test_each_fact_of_a_summary_is_tried() -> None:
    assert OTHER.keys() == set(ServiceSummary.__struct_fields__)
    assert FACTS.keys() | {"summary"} == set(Row.__dataclass_fields__)


@pytest.mark.parametrize("field", FACTS)
def test_a_row_changes_with_each_fact_beside_the_service(field: str) -> None:
    before = shown(Row(SHOP), EVERYTHING)
    assert before != shown(replace(Row(SHOP), **{field: FACTS[field]}), EVERYTHING)


def test_a_row_tells_where_an_operation_is() -> None:
    found = {
        shown(Row(SHOP, under_way=UnderWay(uuid.UUID(int=1), "deploy.SetImage", status)), EVERYTHING)
        for status in (Status.QUEUED, Status.RUNNING, Status.WAITING)
    }
    assert len(found) == 3


summaries = st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in OTHER.items()}).map(
    lambda changed: msgspec.structs.replace(SHOP, **changed)
)
facts = st.fixed_dictionaries({}, optional={name: st.just(value) for name, value in FACTS.items()})
looks = st.builds(
    Look, st.sampled_from(["en", "zh-hans"]), st.frozensets(st.sampled_from(list(Column))), st.booleans(), st.booleans()
)


@given(st.lists(st.tuples(summaries, facts, looks), min_size=2, max_size=4))
def test_a_row_that_is_used_again_is_the_row_that_would_be_rendered_now(found) -> None:
    for summary, beside, look in found:
        shown(Row(summary, **beside), look)


def test_a_row_names_moments_and_no_ages() -> None:
    times = re.findall(r"<time[^>]*>([^<]*)</time>", shown(Row(SHOP), EVERYTHING))
    assert times[0] == "2026-11-01 10:00:00 UTC"
    assert len(times) == 2


def test_a_row_that_is_the_same_again_is_not_rendered_again() -> None:
    look = Look("en", USUAL_COLUMNS)
    same = msgspec.json.decode(msgspec.json.encode(SHOP), type=ServiceSummary)
    assert rows.rendered(Row(SHOP), look) is rows.rendered(Row(same), look)


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["owner"])
    return client


def test_the_page_follows_all_that_a_row_shows(owner, mirror) -> None:
    """Each of these was rendered before in the state before it."""
    seen = [row_of(owner.get("/"), "shop")]

    def changes(word: str) -> None:
        seen.append(row_of(owner.get("/"), "shop"))
        assert word in seen[-1]
        assert word not in seen[-2]

    raw = factories.service()
    raw["metadata"]["annotations"]["serving.knative.dev/lastModifier"] = "carol@shop.example"
    mirror.put(SERVICES, raw)
    changes("carol@shop.example")
    raw["status"]["traffic"] = [{"revisionName": "shop-00001", "percent": 100}]
    mirror.put(SERVICES, raw)
    changes("<title>100% shop-00001</title>")
    raw["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "RevisionMissing", "message": "no"}]
    mirror.put(SERVICES, raw)
    changes("Failed")
    revision = factories.revision(number=1)
    revision["status"] |= {"actualReplicas": 7, "desiredReplicas": 8}
    mirror.put(REVISIONS, revision)
    changes("7/8")
    operation = waiting(ServiceRef("box", "default", "shop"), Status.RUNNING)
    changes(f"/operations/{operation.id}/")
    Operation.objects.filter(id=operation.id).update(status=Status.WAITING)
    changes('title="Waiting for approval"')
    ProtectionRule.objects.create(cluster="box", namespace="default", permissions=["deploy"])
    changes("protected")
