"""Values that nothing else looks like are put wherever a service can hold one, and are then searched for everywhere.

`make canaries` reads every page as every role and follows its links, and prints where each value was put and where it
was found: on pages that leave an entry about revealing, on the preview of the person who typed it, and nowhere else.
`make test` does it as an auditor, without the links.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Any

import msgspec
import pytest
import structlog
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.urls import reverse

from console import audit
from console.access import tokens
from console.access.actors import Actor
from console.access.models import User
from console.audit.models import Entry, WatchedService
from console.cluster.resources import PODS, REVISIONS, ROUTES, SERVICES
from console.knative.references import ServiceRef
from console.logging import levels
from console.mirror import read
from console.mirror.read import KindState
from console.operations.external import detection
from console.operations.models import Operation, Preview
from console.operations.models.protection import ProtectionRule
from console.redis_client import CHANNEL
from console.redis_client import client as redis_client
from tests.operations.factories import World
from tests.operations.steps import finish
from tests.support.announcing import announce
from tests.support.browser import forms_of
from tests.sweeps import IS_WHOLE
from tests.waiting import eventually
from tests.web.canaries import Canaries, Searched, everything_in_redis, everything_in_the_database
from tests.web.conftest import FormClient
from tests.web.test_access import CALLS, HERE, TABLE

pytestmark = pytest.mark.django_db
SAMPLE = ("auditor",)
PLACES = ("pages", "API", "exports", "metrics", "Redis", "database", "logs", "streams", "typed it", "revealed")
MAY_SHOW = ("typed it", "revealed")
KNATIVE = "/apis/serving.knative.dev/v1/namespaces/default"
CORE = "/api/v1/namespaces/default"
SERVICE = "web-of-canaries"  # a name: whatever place was searched holds it
LABEL = "a label, which everybody may read"  # what the search must find
IMAGE = "an image name, as another cluster has it"
UNHIDDEN = (LABEL, IMAGE)  # in no message of this cluster: nothing that it holds would be named
CRASHING = "example.com/shop/crash:1"
ANNOTATIONS = (
    "example.com/last-applied",
    "example.com/last-applied-configuration",
    "deploy.example.com/last-applied-object",
    "company.example/original",
    "company.example/backup",
    "tool.example/applied",
    "tool.example/manifest",
    "client.knative.dev/copy",
    "notes",
    "anything.at/all",
)
EDITORS = ("env", "image", "settings", "yaml", "traffic", "operate", "clone")  # forms that lead to a preview
MAX_OF_SHAPE = 4  # links that differ in numbers and values alone: so many of them are followed
WAIT_SECONDS = 60


def container_of(raw: dict[str, Any]) -> dict[str, Any]:
    return raw["spec"]["template"]["spec"]["containers"][0]


def fill(raw: dict[str, Any], canaries: Canaries) -> None:
    """Put a value into whatever kubectl can put one into."""
    raw["metadata"].setdefault("labels", {})["example.com/team"] = canaries.new(LABEL)
    container = container_of(raw)
    dsn = f"postgres://shop:{canaries.new('the password of a URL in env')}@db.example.com/shop"
    private = json.dumps({"private_key": canaries.new("a key of a JSON text in env")})
    lines = f"-----BEGIN-----\n{canaries.new('a line of a text in env')}\n-----END-----\n"
    container["env"] = [
        {"name": "PLAIN", "value": canaries.new("env")},
        {"name": "DATABASE_URL", "value": dsn},
        {"name": "ACCOUNT", "value": private},
        {"name": "CERTIFICATE", "value": lines},
        {"name": "PANIC", "value": "print-settings"},
    ]
    container["args"] = [
        "--password",
        canaries.new("the argument after --password"),
        f"--api-token={canaries.new('--api-token=')}",
        f"amqp://shop:{canaries.new('the password of a URL in args')}@mq.example.com",
    ]
    header = {"name": "Authorization", "value": f"Bearer {canaries.new('the header of a probe')}"}
    path = f"/live?token={canaries.new('the path of a probe')}"
    container["livenessProbe"] = {"httpGet": {"path": path, "httpHeaders": [header]}}
    for number, name in enumerate(ANNOTATIONS):
        old = {"spec": {"containers": [{"env": [{"name": "OLD", "value": canaries.new(f"annotation {name}")}]}]}}
        holder = raw if number % 2 else raw["spec"]["template"]
        holder["metadata"].setdefault("annotations", {})[name] = json.dumps(old)


class Shop:
    """The service that holds the values, in a cluster that repeats them wherever it can say something."""

    def __init__(self, world: World, mirror: Any, deployer: Client) -> None:
        self.world, self.mirror, self.deployer = world, mirror, deployer
        self.canaries = Canaries()
        self.ref = ServiceRef("box", "default", SERVICE)
        self.searched = Searched(PLACES)
        state = KindState(time.time() + 3600, "1")  # a list was finished: changes outside are looked for
        mirror.note(SERVICES, msgspec.json.encode(state))
        world.create(SERVICE)

    def address(self, name: str, **more: str) -> str:
        ref = self.ref
        return reverse(name, kwargs={"cluster": ref.cluster, "namespace": ref.namespace, "name": ref.name, **more})

    def live(self) -> None:
        """Everything that happens to it before it is looked at."""
        self.look()
        self.world.edit(SERVICE, lambda raw: fill(raw, self.canaries))  # by kubectl
        eventually(lambda: self.world.settled(SERVICE), timeout=WAIT_SECONDS)
        self.look()
        self.world.edit(SERVICE, lambda raw: container_of(raw).update(image=CRASHING))
        self.look()
        self.crash()
        self.be_refused()
        ProtectionRule.objects.create(permissions=["deploy"], needs_reason=False)
        waiting = self.submit(self.type_variables(WAITING=self.canaries.new("a variable that waits for approval")))
        assert waiting.status == "waiting", waiting.status
        self.type_variables(PREVIEWED=self.canaries.new("a previewed variable"))
        self.look()
        self.entries = list(Entry.objects.values_list("sequence", flat=True))[: None if IS_WHOLE else 5]

    def crash(self) -> None:
        """A variable, a pasted file, a header and an argument are typed; what runs prints its settings and ends."""
        variables = {"TYPED": self.canaries.new("a variable typed here")}
        typed = self.type_variables(paste=f"FROM_FILE={self.canaries.new('a pasted file')}", **variables)
        self.fail(typed)
        self.operation = self.fail(self.type_manifest())
        assert self.operation.cause["warnings"], "the events were not read"

    def fail(self, typed: str) -> Operation:
        self.warn(self.canaries.said(but=self.of_the_service_alone))
        operation = finish(self.submit(typed))
        assert operation.cause["code"] == "crash", operation.cause
        self.look()
        return operation

    @property
    def of_the_service_alone(self) -> tuple[str, ...]:
        """What no revision and no container is given: the annotations of the service itself."""
        return UNHIDDEN + tuple(f"annotation {name}" for number, name in enumerate(ANNOTATIONS) if number % 2)

    def be_refused(self) -> None:
        """A webhook repeats what it refuses, at the dry run and at the write."""
        preview = self.type_variables(REFUSED=self.canaries.new("a refused variable"))
        fault = {"verb": "update", "resource": "services", "name": SERVICE, "code": 403}
        fault["message"] = f'admission webhook "policy" denied the request: {self.canaries.said(but=UNHIDDEN)}'
        self.world.box.post("/sandbox/faults", fault)
        refused = finish(self.submit(preview))
        assert refused.status in ("failed", "refused"), refused.status
        assert refused.cause["code"] == "policy", refused.cause
        fault["message"] += self.canaries.new("a variable that the dry run refused")
        self.world.box.post("/sandbox/faults", fault)
        self.type_variables(DRY=self.canaries.values["a variable that the dry run refused"])

    def type_variables(self, *, paste: str = "", **variables: str) -> str:
        """Send the form of variables; what it answers is the page of who typed."""
        data = {"rows": str(len(variables)), "container": "app", "paste": paste, "resource_version": self.version}
        for number, (name, value) in enumerate(variables.items()):
            data |= {f"name-{number}": name, f"action-{number}": "set", f"value-{number}": value}
        return self.send("env", data)

    def type_manifest(self) -> str:
        """Send the whole object with an argument and a header more."""
        manifest = unescape(self.deployer.get(self.address("yaml")).content.decode())
        text = manifest.partition("apiVersion: ")[2].partition("</textarea>")[0]
        text = re.sub(
            r"https://\S+@registry.example.com/sidecar:1", self.sidecar, text
        )  # the mirror's alone: see as_seen
        argument = f"--secret={self.canaries.new('an argument typed as YAML')}"
        header = self.canaries.new("a header typed as YAML")
        text = text.replace("args:\n", f"args:\n        - {argument}\n", 1)
        text = text.replace(
            "httpHeaders:\n", f"httpHeaders:\n            - name: X-Key\n              value: {header}\n"
        )
        return self.send("yaml", {"manifest": f"apiVersion: {text}", "resource_version": self.version})

    @property
    def sidecar(self) -> str:
        return str(self.world.get(SERVICE)["spec"]["template"]["spec"]["containers"][1]["image"])

    @property
    def version(self) -> str:
        return str(self.world.get(SERVICE)["metadata"]["resourceVersion"])

    def send(self, form: str, data: dict[str, str]) -> str:
        response = self.deployer.post(self.address(form), data)
        self.searched.add("typed it", form, response.content.decode())
        newest = Preview.objects.order_by("-created_at").first()
        return str(newest.id) if newest else ""

    def submit(self, preview: str) -> Operation:
        response = self.deployer.post(reverse("submit", args=(preview,)))
        assert response.status_code == 302, response.content.decode()[:2000]
        return Operation.objects.get(id=response["Location"].rstrip("/").rpartition("/")[2])

    def warn(self, text: str) -> None:
        """What the cluster says of the next revision, of its deployment and of a pod."""
        revision = f"{SERVICE}-{self.world.get(SERVICE)['metadata']['generation'] + 1:05}"
        for number, about in enumerate((revision, f"{revision}-deployment", f"{revision}-deployment-abc")):
            kind = ("Revision", "Deployment", "Pod")[number]
            event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": f"{about}.{number}"}, "type": "Warning",
                     "involvedObject": {"kind": kind, "namespace": "default", "name": about}, "reason": "Unhealthy",
                     "message": f"probe failed: {text}"}  # fmt: skip
            self.world.box.post(f"{CORE}/events", event)

    def look(self) -> None:
        """What the watcher and the look outside do."""
        self.mirror.put(SERVICES, self.as_seen(self.world.get(SERVICE)))
        for resource, path in ((REVISIONS, KNATIVE), (ROUTES, KNATIVE), (PODS, CORE)):
            for one in self.world.box.get(f"{path}/{resource.plural}")["items"]:
                if (one["metadata"].get("labels") or {}).get("serving.knative.dev/service") == SERVICE:
                    self.mirror.put(resource, self.as_seen(one))
        detection.look()

    def as_seen(self, raw: dict[str, Any]) -> dict[str, Any]:
        """As a less strict cluster would have it: credentials in image names, messages that name what it holds."""
        seen: dict[str, Any] = json.loads(json.dumps(raw))
        spec = seen.get("spec") or {}
        for container in ((spec.get("template") or {}).get("spec") or spec).get("containers") or ():
            if container.get("name") == "sidecar":
                credential = self.canaries.new(IMAGE)
                container["image"] = f"https://robot:{credential}@registry.example.com/sidecar:1"
        text = json.dumps({key: seen.get(key) for key in ("metadata", "spec")})
        held = (value for where, value in self.canaries.values.items() if value in text and where != LABEL)
        said = f"dial {' '.join(held)}"
        for condition in (seen.get("status") or {}).get("conditions") or ():
            condition["message"] = f'Revision "x" failed with message: Container failed with: {said}'
        for state in (seen.get("status") or {}).get("containerStatuses") or ():
            ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": said}}
            state.update({"state": {"waiting": {"reason": "CrashLoopBackOff", "message": said}}, "lastState": ended})
        return seen


class Reader:
    """One person, who reads everything: as a browser does, and as a caller of the API."""

    def __init__(self, person: User, shop: Shop) -> None:
        self.person, self.shop, self.searched = person, shop, shop.searched
        self.browser, self.caller = FormClient(), Client()
        self.browser.force_login(person)
        self.links: dict[str, None] = {}
        self.visited: set[str] = set()
        self.answered = 0

    def take_token(self) -> bool:
        """Whether this person can have one at all."""
        for permissions in (["view", "audit"], ["view"]):
            try:
                facts = {"permissions": permissions, "cluster": "*", "namespace": "*", "name": "board", "days": 1}
                text = tokens.issue(self.person, actor=Actor(self.person.pk, self.person.username), **facts)[1]
            except tokens.NotOffered:
                continue
            self.caller.defaults["HTTP_AUTHORIZATION"] = f"Bearer {text}"
            return True
        return False

    def read_everything(self) -> None:
        may_call = self.take_token()
        for name, address in addresses(self.shop):
            if name not in CALLS:
                self.read(address)
            elif may_call:
                self.searched.add("API", f"{self.person.username}: {address}", content(self.caller.get(address)))
        if IS_WHOLE:
            self.follow_links()
            for name in EDITORS:
                self.send_back(self.shop.address(name))
        self.reveal()
        for form in ("csv", "jsonl"):
            response = self.browser.post(reverse("audit-export", kwargs={"form": form}))
            self.searched.add("exports", f"{self.person.username}: {form}", content(response))
        async_to_sync(self.listen)()

    def reveal(self) -> None:
        self.read(self.shop.address("reveal"), method="post")

    def follow_links(self) -> None:
        shapes = Counter[str]()
        for link in [link for link in self.links if link not in self.visited]:
            shape = re.sub(r"[0-9a-f-]{36}|\d+|(?<==)[^&]*", "", link)
            shapes[shape] += 1
            if shapes[shape] <= MAX_OF_SHAPE:
                self.read(link)

    def read(self, address: str, *, method: str = "get", data: dict[str, str] | None = None) -> Any:
        """Ask, search the answer, keep its links. It may show a value only where it leaves an entry that says so."""
        self.visited.add(address)
        before = Entry.objects.count()
        response = getattr(self.browser, method)(address, data or {})
        text = content(response)
        told = Entry.objects.order_by("sequence")[before:]
        is_told = any(entry.action.startswith("reveal.") and entry.outcome == "succeeded" for entry in told)
        self.searched.add("revealed" if is_told else "pages", f"{self.person.username}: {address}", text)
        self.answered += response.status_code == 200
        for link in re.findall(r'(?:href|hx-get|action)="(/[^"#]+)', text):
            if not link.startswith(("/static/", "/accounts/", "/stream/")):
                self.links.setdefault(unescape(link))
        return response

    def send_back(self, address: str) -> None:
        """Send the page's form as it came, and with nothing in it: what comes back is a preview or the form again."""
        response = self.browser.get(address)
        forms = [form for form in forms_of(response.content.decode()) if form.method == "post"]
        for data in [{}, *(dict(form.entries()) for form in forms[-1:])]:
            self.read(address, method="post", data=data)

    async def listen(self) -> None:
        """Hold a stream until something was told on it, or the person is told that there is nothing to hear."""
        client = AsyncClient()
        await client.aforce_login(self.person)
        topics = {"topic": ["services", f"service:{self.shop.ref}", f"operation:{self.shop.operation.id}"]}
        response = await client.get("/stream/", topics)
        events = aiter(response.streaming_content)
        telling = asyncio.create_task(self.hear(events))
        async with asyncio.timeout(WAIT_SECONDS):
            while not telling.done():  # the subscription may begin a moment after the greeting
                announce("services", cluster="box", namespace="default", name=SERVICE)
                await asyncio.wait([telling], timeout=0.05)
        await telling
        await events.aclose()

    async def hear(self, events: Any) -> None:
        async for chunk in events:
            self.searched.add("streams", f"{self.person.username}: /stream/", chunk.decode())
            if b"event: changed" in chunk:
                return


def content(response: Any) -> str:
    return (b"".join(response.streaming_content) if response.streaming else response.content).decode()


def addresses(shop: Shop) -> Iterator[tuple[str, str]]:
    """Every address of the access table, of the service that holds the values; a new page is read by itself."""
    revision = read.service(shop.ref).latest_created_revision or ""
    operations = list(Operation.objects.values_list("id", flat=True))
    for name, (_, arguments, _method) in TABLE.items():
        known: dict[str, Any] = {**arguments, **({"name": SERVICE} if HERE.items() <= arguments.items() else {})}
        if "revision" in known:
            known["revision"] = revision
        varied = {"operation": ("id", operations), "api-operation": ("id", operations),
                  "audit-entry": ("sequence", shop.entries), "api-audit-entry": ("sequence", shop.entries)}  # fmt: skip
        key, values = varied.get(name, ("", [None]))
        if name != "stream":  # it does not end: see listen
            for value in values:
                yield name, reverse(name, kwargs=known | ({key: value} if key else {}))


def command_output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command(*arguments)
    return capsys.readouterr().out


def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    """As an operator does who looks for a fault."""
    for logger, level in levels("DEBUG").items():
        caplog.set_level(level, logger or None)


def test_values_are_found_where_they_may_be_revealed_and_nowhere_else(
    world: World, mirror, people, settings, caplog, capsys
) -> None:
    log_everything(caplog)
    settings.METRICS_TOKEN = "m3tr1cs"
    announced = redis_client().pubsub()
    announced.subscribe(CHANNEL)
    browser = FormClient()
    browser.force_login(people["deployer"])
    shop = Shop(world, mirror, browser)
    shop.live()

    chosen = people if IS_WHOLE else {name: people[name] for name in SAMPLE}
    readers = [Reader(person, shop) for person in chosen.values()]
    for reader in readers:
        reader.read_everything()
    Reader(people["deployer"], shop).reveal()
    searched, canaries = shop.searched, shop.canaries
    for form in ("jsonl", "csv"):
        searched.add("exports", "by an operator", command_output(capsys, "audit", "export", "--format", form))
    metrics = content(Client(headers={"Authorization": "Bearer m3tr1cs"}).get("/metrics"))
    searched.add("metrics", "/metrics", metrics)
    for source, text in everything_in_redis():
        searched.add("Redis", source, text)
    for source, text in everything_in_the_database():
        searched.add("database", source, text)
    for record in caplog.records:
        searched.add("logs", record.name, f"{record.getMessage()} {record.exc_text or ''}")
    searched.add("logs", "stdout and stderr", "".join(capsys.readouterr()))
    while (message := announced.get_message()) is not None:
        searched.add("streams", "announcements", str(message["data"]))

    found = searched.found(canaries)
    if IS_WHOLE:
        with capsys.disabled():
            print("\n" + searched.table(canaries, found))
    leaks = {
        f"{where} in {place}": source
        for place, values in found.items()
        for where, source in values.items()
        if place not in MAY_SHOW and where != LABEL
    }
    assert leaks == {}
    assert len(canaries.values) > 25
    assert {"a variable typed here", "a pasted file"} <= found["typed it"].keys(), "the search does not find a value"
    assert "env" in found["revealed"], "nothing was revealed to who may reveal"
    for place in ("pages", "API", "exports", "Redis", "database"):
        assert LABEL in found[place], f"the search of {place} does not find what is there"
    for place in PLACES:
        assert place == "metrics" or searched.holds(place, SERVICE), f"{place}: nothing about the service was read"
    assert 'cluster="box"' in metrics
    unread = [reader.person.username for reader in readers if reader.answered < 20]
    assert unread in ([], ["nobody"]), "most pages were not read at all"


def test_a_leak_is_found_wherever_it_is_and_however_it_is_written(mirror, people, caplog) -> None:
    """Each value is put into one place, in one spelling, so that a search that cannot find is seen to fail."""
    spellings = {
        "plain": lambda value: f"password is {value}!",
        "its beginning": lambda value: f"... {value[:17]}",
        "its end": lambda value: f"{value[17:]} ...",
        "base64": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    }
    log_everything(caplog)
    canaries, searched = Canaries(), Searched(("Redis", "database", "logs", "pages"))
    auditor = FormClient()
    auditor.force_login(people["auditor"])
    for name, spell in spellings.items():
        ref = ServiceRef("box", "default", "shop")
        text = spell(canaries.new(f"{name} in database, pages"))
        audit.record("test", actor=Actor(None, "test"), ref=ref, outcome=audit.Outcome.SUCCEEDED, text=text)
        redis_client().rpush("leaky", spell(canaries.new(f"{name} in Redis")))
        structlog.get_logger("console.leaky").warning("leaked", text=spell(canaries.new(f"{name} in logs")))
    packed = zlib.compress(canaries.new("packed in database").encode())
    WatchedService.objects.create(cluster="box", address="a/b", uid="u", generation=1, object=packed)
    for source, text in everything_in_redis():
        searched.add("Redis", source, text)
    for source, text in everything_in_the_database():
        searched.add("database", source, text)
    for record in caplog.records:
        searched.add("logs", record.name, record.getMessage())
    searched.add("pages", "/audit/", content(auditor.get("/audit/")))
    found = {f"{where} in {place}" for place, values in searched.found(canaries).items() for where in values}
    wanted = {f"{where} in {place}" for where in canaries.values for place in where.partition(" in ")[2].split(", ")}
    assert found == wanted
