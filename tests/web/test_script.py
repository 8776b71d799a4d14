"""Text from the cluster and from people stays text: on every page, with nothing that a browser would run."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from console.access.actors import Actor
from console.access.models import Grant, Membership, Role, Team, User
from console.audit import Outcome, record
from console.audit.acting_role import ActingRole
from console.cluster.resources import REVISIONS, SERVICES
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.operations.models import Operation
from console.request_tests.models import AccessTest
from console.sealing import seal
from tests import factories
from tests.sweeps import IS_WHOLE, sample, sweep
from tests.web.test_access import TABLE, THING

PAYLOADS = [
    '"><img src=x onerror=alert(1) data-planted="',
    "'><script data-planted>alert(1)</script>",
    '<b data-planted hx-get="/preferences/" hx-trigger="load" hx-nonce="x">',
    "</textarea></title></style><svg data-planted onload=alert(1)>",
    'javascript:alert(1)//" data-planted hx-on:click="alert(1)" x="',
    "{% csrf_token %}{{ request }}<iframe data-planted srcdoc='x'>",
]
MARK = "data-planted"
# What a page finds its way by: hostile text there only makes an object that no page can name.
STRUCTURE = {
    "apiVersion", "kind", "name", "namespace", "resourceVersion", "uid", "creationTimestamp", "lastTransitionTime",
    "type", "status", "severity", "revisionName", "latestReadyRevisionName", "latestCreatedRevisionName",
    "serving.knative.dev/service", "serving.knative.dev/configuration", "serving.knative.dev/routingState",
    "serving.knative.dev/configurationGeneration",
}  # fmt: skip


def poisoned(value: Any, payload: str, key: str = "") -> Any:
    """The object with every text replaced, and a hostile label, annotation, condition and variable more."""
    if isinstance(value, dict):
        changed = {name: poisoned(inner, payload, name) for name, inner in value.items()}
        if key in ("labels", "annotations"):
            changed[payload] = payload
        return changed
    if isinstance(value, list):
        changed = [poisoned(inner, payload) for inner in value]
        if key == "conditions":
            changed.append({"type": payload, "status": "False", "reason": payload, "message": payload})
        if key == "env":
            changed.append({"name": payload, "value": payload})
        return changed
    return payload if isinstance(value, str) and key not in STRUCTURE else value


class Danger(HTMLParser):
    """Collects what a browser would run or follow, and whether the planted text is shown at all."""

    def __init__(self, markup: str, nonce: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.is_shown = False
        self.nonce = nonce
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        shown = f"<{tag} {' '.join(names)}>"
        if MARK in names:
            self.found.append(f"planted {shown}")
        runs = tag == "script" and names.get("type") != "application/json" and names.get("nonce") != self.nonce
        if runs or tag in ("iframe", "object", "embed", "base"):
            self.found.append(shown)
        self.found += [shown for name in names if name.startswith("on") or name.startswith("hx-on")]
        if any(name.startswith("hx-") for name in names) and names.get("hx-nonce") != self.nonce:
            self.found.append(f"htmx without this page's nonce: {shown}")
        for name in ("href", "src", "action", "formaction"):
            scheme = urlsplit((names.get(name) or "").strip()).scheme.lower()
            if scheme not in ("", "http", "https") and not (tag == "img" and scheme == "data"):
                self.found.append(f"{scheme}: in {shown}")
        self.is_shown = self.is_shown or any(MARK in (value or "") for value in names.values())

    def handle_data(self, data: str) -> None:
        self.is_shown = self.is_shown or MARK in data


@pytest.fixture(params=sample(range(len(PAYLOADS)), one_in=6))
def hostile(request, client, mirror, people) -> str:
    """Everything that can carry text carries the payload: cluster objects, people, teams, operations, entries."""
    payload = PAYLOADS[request.param]
    named = payload.replace("/", "")[:90]  # a name is a part of an address: no slash ever comes in one
    mirror.replace_all(SERVICES, [poisoned(factories.service(), payload)])
    mirror.replace_all(REVISIONS, [poisoned(factories.revision(number=number), payload) for number in (1, 2, 3, 4)])
    person = User.objects.create(username=payload, first_name=payload, email="a@example.com", is_superuser=True)
    team = Team.objects.create(name=payload, oidc_group=payload)
    Membership.objects.create(user=person, team=team)
    Grant.objects.create(
        team=team, role=Role.objects.get(name="owner"), cluster=payload, namespace=payload, selector=f"a={payload}"
    )
    here = {"cluster": "box", "namespace": "default", "name": "shop"}
    change = {"path": ["spec", payload], "before": payload, "after": payload}
    Operation.objects.create(
        **here, id=THING, kind="SplitTraffic", sealed_change=seal({"kind": "SplitTraffic", "targets": []}),
        sealed_seen=seal(poisoned(factories.service(), payload)), actor=payload, reason=payload, status="failed",
        finished_at="2026-11-24T10:00:00Z", changes=[change], kn=payload, revision=named,
        cause={"code": payload, "facts": {payload: payload}, "raw": payload, "logs": [payload]},
    )  # fmt: skip
    AccessTest.objects.create(**here, id=THING, url=payload, count=1)
    actor = Actor(person.pk, payload, payload[:64], payload[:64])
    for ref in (ServiceRef("box", "default", "shop"), ServiceRef(named, named, named)):
        record(payload[:90], actor=actor, ref=ref, outcome=Outcome.REFUSED, text=payload,
               changes=[FieldChange(("spec", payload), payload, payload)], acting=ActingRole((payload,)))  # fmt: skip
    client.force_login(person)
    return payload


@sweep
def test_no_page_runs_what_came_as_text(client, hostile: str) -> None:
    found: dict[str, list[str]] = {}
    shown = []
    for name, (_, arguments, _) in sample(TABLE.items(), one_in=3):
        address = reverse(name, kwargs=arguments)
        for query in (
            {},
            dict.fromkeys(("q", "with", "team", "actor", "sort", "before", "namespace", "state", "ids"), hostile),
        ):
            response = client.get(address, query)
            if not response.headers.get("Content-Type", "").startswith("text/html") or response.streaming:
                continue
            assert response.status_code < 500, address
            page = Danger(response.content.decode(), getattr(response.wsgi_request, "_csp_nonce", None) or "")
            if page.found:
                found[f"{address} {sorted(query)}"] = page.found
            if page.is_shown:
                shown.append(name)
    assert found == {}
    assert len(set(shown)) >= (20 if IS_WHOLE else 6), "the pages must show the text, or the test proves nothing"


@pytest.mark.parametrize("field", ["login", "password", "code"])
def test_what_is_typed_at_sign_in_stays_text(client, db, field: str) -> None:
    for payload in PAYLOADS:
        for response in (
            client.post("/accounts/login/", {"login": "a", "password": "b", field: payload, "next": payload}),
            client.get("/accounts/login/", {"next": payload, "login": payload}),
            client.get(f"/{payload}"),
            client.get("/accounts/oidc/login/callback/", {"error": payload}),
        ):
            page = Danger(response.content.decode(), getattr(response.wsgi_request, "_csp_nonce", None) or "")
            assert page.found == []


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "JaVaScRiPt:alert(1)",
        "\x01javascript:alert(1)",
        "//evil.example",
    ],
)
def test_a_service_address_of_another_kind_is_no_link(client, mirror, people, url: str) -> None:
    service = factories.service()
    service["status"]["url"] = url
    for target in service["status"]["traffic"]:
        target["url"] = url
    mirror.replace_all(SERVICES, [service])
    client.force_login(people["viewer"])
    for path in ("/", "/services/box/default/shop/", "/services/box/default/shop/test/"):
        page = Danger(client.get(path).content.decode(), client.get(path).wsgi_request._csp_nonce)
        assert not [one for one in page.found if "htmx" not in one and "script" not in one]
        assert f'href="{url}"' not in client.get(path).content.decode()
