"""What an operation's page says of its end: each code has words, and nothing is claimed that was not read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import redis
from django.db import OperationalError
from django.utils.translation import override

import console
from console.access.models import User
from console.audit.models import Entry
from console.cluster import errors
from console.cluster.resources import SERVICES
from console.knative.causes import Cause, Code
from console.knative.changes import DeleteService, EnvEntry, SetEnv, SetImage
from console.knative.references import ServiceRef
from console.mirror.read import MirrorUnavailable
from console.operations import faults
from console.operations.models import Operation
from console.operations.models.statuses import Notice, Status
from console.operations.submitting import submission
from console.web import causes, outcomes, words
from tests.operations.steps import finish
from tests.operations.steps import submit as submit_change
from tests.web.pages import read
from tests.web.test_changes import Shown, shown

__all__ = ["shown"]

ROOT = Path(console.__file__).parent
CRASH = "example.com/shop/crash:1"


def sources() -> Iterator[ast.AST]:
    for path in sorted(ROOT.rglob("*.py")):
        if "sandbox" not in path.parts and "migrations" not in path.parts:
            yield from ast.walk(ast.parse(path.read_text()))


def constant(node: ast.expr | None) -> list[str]:
    """The texts that the expression can be: a constant, or either branch of a conditional."""
    if isinstance(node, ast.IfExp):
        return constant(node.body) + constant(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@cache
def codes_of_problems() -> set[str]:
    calls = [node for node in sources() if isinstance(node, ast.Call) and name_of(node) == "Problem" and node.args]
    return {code for call in calls for code in constant(call.args[0])}


def test_the_walk_finds_codes_of_every_kind() -> None:
    assert {"container-unknown", "env-name-empty", "percent-range"} <= codes_of_problems()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_code_has_words(language: str) -> None:
    with override(language):
        silent = [code for code in codes_of_problems() if not words.problem_of(code, {})]
        silent += [code for code in Notice if outcomes.notice(code, {}) == code]
    assert silent == []


def test_every_code_has_chinese_words() -> None:
    tables = (words.PROBLEMS, outcomes.NOTICES, outcomes._ANSWERS, outcomes._END)
    texts = {str(text) for table in tables for text in table.values()}
    with override("zh-hans"):
        same = [str(text) for table in tables for text in table.values() if str(text) in texts]
    assert same == []


def kinds(of: type[Exception]) -> Iterator[type[Exception]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds(errors.ClusterError)), ids=lambda kind: kind.__name__)
def test_every_class_of_an_answer_has_words_of_its_own(kind: type[errors.ClusterError]) -> None:
    assert outcomes.answer_error(kind("raw words"))[0] != "The cluster returned an error."


@pytest.mark.parametrize("error", [OperationalError("locked"), redis.ConnectionError("x"), MirrorUnavailable("x")])
def test_what_is_not_the_clusters_is_not_told_as_its_answer(error: Exception) -> None:
    sentence, _raw = outcomes.answer_error(error)
    assert "cluster" not in sentence.lower()


def test_a_refusal_names_the_policy_or_the_quota() -> None:
    denied = 'admission webhook "{}" denied the request: no latest tags'
    sentence, raw = outcomes.answer_error(errors.Refused(denied.format("policy.example.com")))
    assert "policy.example.com" in sentence
    assert raw == "no latest tags"
    sentence, _raw = outcomes.answer_error(errors.Refused("services is forbidden: exceeded quota: small, requested: 1"))
    assert "small" in sentence


def page(shown: Shown, operation: Operation) -> str:
    return read(shown.client.get(f"/operations/{operation.id}/")).text


def crash(shown: Shown) -> Operation:
    shown.client.post(f"{shown.path}image/", {"container": "app", "image": CRASH})
    from console.operations.models import Preview

    made = shown.client.post(f"/previews/{Preview.objects.get().id}/submit/")
    return finish(Operation.objects.get(id=made["Location"].split("/")[2]))


STILL = "The previous revision is still serving."


def test_what_still_serves_is_said_while_the_mirror_shows_it(shown: Shown) -> None:
    operation = crash(shown)
    shown.mirror_it()
    assert operation.status == Status.FAILED
    text = page(shown, operation)
    assert f"Deployment failed. {STILL}" in text
    assert "The container keeps crashing (exit code 1)" in text


def test_nothing_serves_any_more_once_the_service_is_deleted(shown: Shown) -> None:
    operation = crash(shown)
    shown.world.delete(shown.name)
    shown.mirror.drop(SERVICES, shown.service)
    text = page(shown, operation)
    assert "Deployment failed. The service has been deleted since." in text
    assert "serving" not in text


def test_a_service_made_again_is_not_told_as_the_one_of_before(shown: Shown) -> None:
    operation = crash(shown)
    another = {**shown.service, "metadata": {**shown.service["metadata"], "uid": "another"}}
    shown.mirror.put(SERVICES, another)
    text = page(shown, operation)
    assert "The service has been deleted and created again since." in text
    assert "serving" not in text


def test_a_stale_mirror_claims_nothing(shown: Shown) -> None:
    import msgspec

    from console.mirror.read import KindState

    operation = crash(shown)
    shown.mirror_it()
    shown.mirror.note(SERVICES, msgspec.json.encode(KindState(1.0)))
    text = page(shown, operation)
    assert "Deployment failed." in text
    assert "serving" not in text


def test_what_serves_instead_is_named(shown: Shown) -> None:
    operation = crash(shown)
    shown.world.edit(
        shown.name,
        lambda s: s["spec"]["template"]["spec"]["containers"][0].update(image="gcr.io/knative-samples/helloworld-rust"),
    )
    from tests.waiting import eventually

    eventually(lambda: shown.world.settled(shown.name), message="not ready")
    shown.mirror_it()
    text = page(shown, operation)
    assert STILL not in text
    assert f"Currently serving: {shown.name}-00003." in text


def test_a_deletion_is_not_told_as_something_that_serves(shown: Shown, people) -> None:
    from console.access.actors import Actor

    admin = people["administrator"]
    ref = ServiceRef("box", "default", shown.name)
    operation = finish(submit_change(DeleteService(), ref, Actor(admin.pk, admin.username)))
    shown.mirror.drop(SERVICES, shown.service)
    text = page(shown, operation)
    assert "Deleted." in text
    assert "serv" not in text.partition("Deleted.")[2].partition("View services")[0].lower()


@pytest.mark.parametrize(("again", "code"), [(False, "deleted-meanwhile"), (True, "recreated-meanwhile")])
def test_a_service_that_goes_before_the_write_is_told_as_gone(shown: Shown, people, monkeypatch, again, code) -> None:
    from console.access.actors import Actor

    admin = people["administrator"]
    ref = ServiceRef("box", "default", shown.name)

    def gone(point: str) -> None:
        if point == "claimed":
            monkeypatch.setattr(faults, "reach", lambda _point: None)
            shown.world.delete(shown.name)
            if again:
                shown.world.create(shown.name)

    monkeypatch.setattr(faults, "reach", gone)
    change = SetEnv("app", (EnvEntry("TARGET", "Second"),))
    operation = finish(submit_change(change, ref, Actor(admin.pk, admin.username)))
    assert operation.cause["code"] == code
    text = page(shown, operation)
    assert causes.text(Cause(Code(code))) in text
    assert "serving" not in text


def test_a_problem_that_comes_up_while_writing_has_the_forms_words(shown: Shown, people, monkeypatch) -> None:
    from console.access.actors import Actor

    admin = people["administrator"]

    def renamed(point: str) -> None:
        if point == "claimed":
            monkeypatch.setattr(faults, "reach", lambda _point: None)
            shown.world.edit(
                shown.name, lambda s: s["spec"]["template"]["spec"]["containers"][0].update(name="renamed")
            )

    monkeypatch.setattr(faults, "reach", renamed)
    change = SetEnv("app", (EnvEntry("EXTRA", "x"),))
    operation = finish(submit_change(change, ServiceRef("box", "default", shown.name), Actor(admin.pk, admin.username)))
    assert (operation.status, operation.cause["code"]) == (Status.REFUSED, "container-unknown")
    text = page(shown, operation)
    assert "The container “app” no longer exists." in text
    assert "container-unknown" not in text
    assert "The cluster rejected" not in text


def test_a_refusal_leaves_one_entry(shown: Shown, people) -> None:
    operation = crash(shown)
    shown.client.force_login(people["viewer"])
    assert shown.client.post(f"/operations/{operation.id}/retry/").status_code == 403
    assert Entry.objects.filter(action__endswith=".refused", actor="viewer").count() == 1


def test_a_refusal_of_several_rights_leaves_one_entry(shown: Shown, people) -> None:
    from console.access.actors import Actor
    from console.access.attempts import record_not_allowed
    from console.access.refusals import NotAllowed

    viewer: User = people["viewer"]
    refusal = NotAllowed("deploy", "traffic", ref=ServiceRef("box", "default", shown.name))
    record_not_allowed(refusal, Actor(viewer.pk, viewer.username))
    record_not_allowed(refusal, Actor(viewer.pk, viewer.username))
    [entry] = Entry.objects.filter(actor="viewer")
    assert (entry.action, entry.text) == ("deploy.refused", "also lacks: traffic")


@pytest.mark.parametrize(("code", "cause"), [(0, "cluster-away"), (429, "cluster-busy"), (500, "cluster-failing")])
def test_a_cluster_that_stays_away_is_told_by_how_it_did(shown: Shown, people, code: int, cause: str) -> None:
    from console.access.actors import Actor

    admin = people["administrator"]
    change = SetImage("app", "gcr.io/knative-samples/helloworld-rust")
    limits = submission.Limits(deadline=0.05)
    ref = ServiceRef("box", "default", shown.name)
    operation = submit_change(change, ref, Actor(admin.pk, admin.username), limits=limits)
    Operation.objects.filter(id=operation.id).update(base_version="1", status=Status.RUNNING)
    fault = {"resource": "services", "verb": "get", "times": 40, "code": code, "retry_after": 0}
    shown.world.box.post("/sandbox/faults", fault if code else {**fault, "cut": "before"})
    ended = finish(operation)
    assert (ended.status, ended.cause["code"]) == (Status.TIMED_OUT, cause)
