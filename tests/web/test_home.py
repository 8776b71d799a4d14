"""The services list, where people begin: what needs attention comes first, and nothing is shown that is not so."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.access.models import SavedView
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.references import ServiceRef
from console.mirror import read as mirrored
from console.mirror.replicas import Replicas, record_of, total
from console.mirror.serving import serving
from console.operations.models import Operation
from console.operations.models.statuses import Status
from tests import factories
from tests.web.pages import markup, read

LONG = "a" * 31 + "-" + "b" * 31
QUOTA = 'pods "x" is forbidden: exceeded quota: compute, requested: cpu=4, used: cpu=14, limited: cpu=16'


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["administrator"])
    return client


def failed(name: str = "broken", message: str = QUOTA) -> dict:
    raw = factories.service(name)
    bad = {"status": "False", "reason": "RevisionFailed", "message": message}
    raw["status"]["conditions"] = [{"type": kind, **bad} for kind in ("ConfigurationsReady", "Ready")]
    raw["status"]["latestCreatedRevisionName"] = f"{name}-00005"
    return raw


def stuck(name: str, minutes: int) -> dict:
    raw = factories.service(name)
    since = (timezone.now() - timedelta(minutes=minutes)).isoformat()
    raw["metadata"]["creationTimestamp"] = since
    raw["status"]["conditions"] = [
        {"type": "Ready", "status": "Unknown", "reason": "Deploying", "lastTransitionTime": since}
    ]
    return raw


def concerns(response) -> str:
    """The text of the section with what needs attention."""
    section = markup(response).partition('id="concerns"')[2].partition("</section>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", section)).split())


def waiting(ref: ServiceRef, status: str = Status.WAITING) -> Operation:
    return Operation.objects.create(
        cluster=ref.cluster,
        namespace=ref.namespace,
        name=ref.name,
        kind="deploy.SetImage",
        status=status,
        actor="dora",
        sealed_change=b"",
        sealed_seen=b"",
    )


def test_the_cause_of_a_failed_service_is_said_in_words_on_the_first_page(owner, mirror) -> None:
    mirror.put(SERVICES, failed())
    said = concerns(owner.get("/"))
    assert "broken" in said
    assert "The namespace's quota compute is exceeded." in said
    assert "quota exceeded" in read(owner.get("/")).text


def test_what_fails_comes_before_what_is_stuck_and_that_before_what_waits(owner, mirror) -> None:
    mirror.put(SERVICES, failed("zebra"))
    mirror.put(SERVICES, stuck("young", minutes=2))
    mirror.put(SERVICES, stuck("mouse", minutes=11))
    waiting(ServiceRef("box", "default", "shop"))
    said = concerns(owner.get("/"))
    assert said.index("zebra") < said.index("mouse") < said.index("shop A change is waiting for approval.")
    assert "young" not in said, "a change that has just begun needs nobody"


def test_a_change_that_waits_is_told_with_who_asked_for_it_and_not_who_changed_the_service_before(owner) -> None:
    waiting(ServiceRef("box", "default", "shop"))
    said = concerns(owner.get("/"))
    assert said.endswith("· dora")
    assert "bob" not in said
    assert "5d" not in said, "the age is that of the request"


def test_an_identity_of_the_cluster_is_never_shown_as_the_person_of_its_name(owner, mirror) -> None:
    by_identity, by_person = failed("broken"), failed("other")
    by_identity["metadata"]["annotations"]["serving.knative.dev/lastModifier"] = "dora"
    by_person["metadata"]["annotations"]["sluice.dev/changed-by"] = "dora"
    mirror.replace_all(SERVICES, [by_identity, by_person])
    response = owner.get("/")
    assert re.search(r"broken .* dora \(cluster identity\) .* other .* dora$", concerns(response))
    assert "dora (cluster identity)" in row_of(response, "broken")
    assert "identity" not in row_of(response, "other")
    details = read(owner.get("/services/box/default/broken/")).text
    assert "dora (cluster identity)" in details.partition("Last change")[2]


def test_a_row_tells_that_its_change_waits_for_an_approval(owner) -> None:
    operation = waiting(ServiceRef("box", "default", "shop"))
    assert "waiting for approval" in row_of(owner.get("/"), "shop")
    Operation.objects.filter(id=operation.id).update(status=Status.RUNNING)
    assert "waiting for approval" not in row_of(owner.get("/"), "shop")


def test_no_part_of_what_needs_attention_is_hidden_on_a_narrow_page() -> None:
    css = (Path(__file__).resolve().parents[2] / "static" / "css" / "services.css").read_text(encoding="utf8")
    assert re.findall(r"\.concerns(?![^{]* wbr )[^{]*\{[^}]*display: none", css) == []


def test_a_gradual_rollout_takes_its_time_and_is_not_stuck(owner, mirror) -> None:
    rolling = stuck("rolling", minutes=40)
    rolling["status"]["conditions"][0]["reason"] = "RolloutInProgress"
    mirror.put(SERVICES, rolling)
    assert "rolling" not in concerns(owner.get("/"))


def test_the_filter_for_attention_shows_what_the_section_counts(owner, mirror) -> None:
    for number in range(7):
        mirror.put(SERVICES, failed(f"broken-{number}"))
    waiting(ServiceRef("box", "default", "shop"))
    assert "All 8 that need attention" in concerns(owner.get("/"))
    assert "8 of 8 services" in read(owner.get("/?attention=1")).text


def test_a_person_hears_of_no_trouble_where_they_may_see_nothing(client, mirror, people) -> None:
    mirror.put(SERVICES, failed())
    waiting(ServiceRef("box", "default", "shop"))
    client.force_login(people["stranger"])
    text = read(client.get("/")).text
    assert "broken" not in text
    assert "Needs attention" not in text


def row_of(response, name: str) -> str:
    rows = (part.partition("</tr>")[0] for part in markup(response).split("<tr ")[1:])
    return next(row for row in rows if f'title="{name}"' in row)


def test_replicas_that_are_not_known_are_not_zero(owner, mirror) -> None:
    assert "unknown" not in row_of(owner.get("/"), "shop")
    silent = factories.revision(number=3)
    silent["status"] = {"conditions": []}
    mirror.put(REVISIONS, silent)
    assert "unknown" in row_of(owner.get("/"), "shop")
    mirror.drop(REVISIONS, silent)
    assert "unknown" in row_of(owner.get("/"), "shop")


def test_replicas_of_all_serving_revisions_are_added_up(owner, mirror) -> None:
    for number, ready in ((3, 2), (4, 1)):
        told = factories.revision(number=number)
        told["status"] |= {"actualReplicas": ready, "desiredReplicas": 2}
        mirror.put(REVISIONS, told)
    assert ">3/4<" in row_of(owner.get("/"), "shop").replace("\n", "").replace(" ", "")
    served = serving("box", mirrored.services("box"))
    assert [one.replicas for one in served.values()] == [Replicas(3, 4)]


@pytest.mark.parametrize("status", [None, "text", {}, {"actualReplicas": "1"}, {"actualReplicas": -1}])
def test_a_status_that_tells_no_replicas_leaves_them_unknown(status: object) -> None:
    assert record_of({"status": status}) is None


def test_what_is_unknown_of_one_revision_is_unknown_of_the_service() -> None:
    assert total([Replicas(1, 1), None]) is None
    assert str(total([Replicas(1, 1), Replicas(0, None)])) == "1"
    assert str(total([Replicas(0, 0), Replicas(2, 3)])) == "2/3"


def test_a_row_changes_with_what_it_shows(owner, mirror) -> None:
    assert "helloworld" not in row_of(owner.get("/"), "shop")
    assert "shop:1.4" in row_of(owner.get("/"), "shop")
    changed = factories.service()
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/a/helloworld:2"
    mirror.put(SERVICES, changed)
    row = row_of(owner.get("/"), "shop")
    assert "newest: helloworld:2" in row
    assert 'title="example.com/a/helloworld:2"' in row
    operation = waiting(ServiceRef("box", "default", "shop"), Status.RUNNING)
    assert f"/operations/{operation.id}/" in row_of(owner.get("/"), "shop")
    operation.delete()
    assert "/operations/" not in row_of(owner.get("/"), "shop")


def with_image(raw: dict, image: str) -> dict:
    template = raw["spec"]["template"] if raw["kind"] == "Service" else raw
    template["spec"]["containers"][0]["image"] = image
    return raw


def test_a_row_shows_the_image_with_the_largest_share_not_the_one_that_never_served(owner, mirror) -> None:
    mirror.put(REVISIONS, with_image(factories.revision(number=3), "example.com/shop:1.14.0"))
    mirror.put(REVISIONS, with_image(factories.revision(number=4), "example.com/shop:1.14.1"))
    mirror.put(SERVICES, with_image(factories.service(), "example.com/crash:1.15.0"))
    row = row_of(owner.get("/"), "shop")
    assert ">shop:1.14.0<" in row
    assert "newest: crash:1.15.0" in row
    mirror.put(SERVICES, with_image(factories.service(), "example.com/shop:1.14.0"))
    assert "newest" not in row_of(owner.get("/"), "shop")


def test_an_image_that_serves_and_is_not_known_is_not_guessed(owner, mirror) -> None:
    mirror.drop(REVISIONS, factories.revision(number=3))
    row = row_of(owner.get("/"), "shop")
    assert "unknown" in row
    assert "newest: shop:1.4" in row


def test_a_row_that_was_rendered_for_one_person_offers_nothing_to_another(owner, client, mirror, people) -> None:
    assert 'name="services"' in row_of(owner.get("/"), "shop")
    client.force_login(people["viewer"])
    assert 'name="services"' not in markup(client.get("/"))


def test_a_row_is_in_the_language_of_who_reads_it(owner) -> None:
    assert "Ready" in row_of(owner.get("/"), "shop")
    owner.cookies["django_language"] = "zh-hans"
    assert "就绪" in row_of(owner.get("/"), "shop")


def test_a_reason_that_is_well_known_is_told_in_words_in_each_language(owner, mirror) -> None:
    rolling = stuck("shop", minutes=1)
    rolling["status"]["conditions"][0]["reason"] = "RolloutInProgress"
    mirror.put(SERVICES, rolling)
    row = row_of(owner.get("/"), "shop")
    assert "a gradual rollout is moving traffic" in row
    assert "RolloutInProgress" not in row
    owner.cookies["django_language"] = "zh-hans"
    row = row_of(owner.get("/"), "shop")
    assert "RolloutInProgress" not in row
    assert "0 OK / 1" not in row


def test_picked_services_are_picked_on_the_page_of_bulk_edits(owner, mirror) -> None:
    mirror.put(SERVICES, factories.service("aaa"))
    page = markup(owner.get("/services/bulk/?" + urlencode({"services": "box/default/shop"})))
    boxes = re.findall(r'name="services" value="([^"]+)"[^>]*?(checked)?\s+aria-label', page)
    assert boxes == [("box/default/shop", "checked"), ("box/default/aaa", "")], "picked ones come first"


def test_the_list_leads_to_the_bulk_page_without_a_script(owner) -> None:
    page = markup(owner.get("/"))
    form = page.partition('action="/services/bulk/"')[2].partition("</form>")[0]
    assert 'value="box/default/shop"' in form
    assert "Bulk edit" in form


def test_columns_are_those_that_the_address_names(owner) -> None:
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', markup(owner.get("/?columns=age&columns=<b>")))
    text = " ".join(re.sub(r"<[^>]+>", " ", head) for head in heads)
    assert "Age" in text
    assert "Image" not in text
    assert "Image" in read(owner.get("/?columns=<b>")).text


def test_a_view_is_kept_for_one_person_and_can_be_removed(client, mirror, people) -> None:
    client.force_login(people["viewer"])
    query = urlencode([("q", "shop"), ("sort", "-age"), ("columns", "age"), ("columns", "image")])
    assert client.post(f"/views/?{query}&page=2", {"name": "Old shops"})["Location"] == f"/?{query}"
    page = client.get(f"/?{query}")
    assert 'aria-current="page">Old shops</a>' in markup(page)
    client.force_login(people["owner"])
    assert "Old shops" not in read(client.get("/")).text
    kept = SavedView.objects.get()
    assert client.post(f"/views/{kept.id}/remove/").status_code == 404
    client.force_login(people["viewer"])
    assert client.post(f"/views/{kept.id}/remove/").status_code == 302
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("name", "query", "problem"),
    [("", "q=a", "Enter a view name"), ("x" * 61, "q=a", "Enter a view name"), ("all", "page=2", "Filter or sort"),
     ("long", "q=" + "x" * 1000, "too long")],
)  # fmt: skip
def test_a_view_that_cannot_be_kept_says_why(owner, name: str, query: str, problem: str) -> None:
    response = owner.post(f"/views/?{query}", {"name": name})
    assert response.status_code == 422
    assert problem in read(response).text
    assert not SavedView.objects.exists()


def test_a_long_name_is_whole_in_its_title(owner, mirror) -> None:
    mirror.put(SERVICES, factories.service(LONG))
    assert f'title="{LONG}"' in markup(owner.get("/"))


def test_the_list_asks_the_database_the_same_for_many_services(owner, mirror) -> None:
    owner.get("/")
    with CaptureQueriesContext(connection) as for_one:
        owner.get("/")
    for number in range(20):
        mirror.put(SERVICES, failed(f"broken-{number}"))
        waiting(ServiceRef("box", "default", f"broken-{number}"))
    with CaptureQueriesContext(connection) as for_many:
        owner.get("/")
    assert len(for_many) == len(for_one) <= 12
