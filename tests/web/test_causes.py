"""Each cause of an end has a text in each language, and shows what is known of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import override

from console.access.models import User
from console.knative import causes as knative_causes
from console.knative.causes import Cause, Code, Exit, Image, Lacks, Writer
from console.knative.problems import Problem
from console.mirror.store import MirrorWriter
from console.operations.models import Operation
from console.sealing import seal
from console.web import causes, words
from tests import factories
from tests.web.pages import read

LANGUAGES = [code for code, _name in settings.LANGUAGES]
IN_CLUSTER = list(Code)[: list(Code).index(Code.UNKNOWN)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [code for code in Code if code is not Code.INPUT])
def test_each_code_has_a_text_in_each_language(code: Code, language: str) -> None:
    with override("en"):
        english = causes.text(Cause(code))
    with override(language):
        text = causes.text(Cause(code))
    assert text
    assert (text == english) is (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", IN_CLUSTER)
def test_each_failure_that_a_list_shows_has_a_short_text(code: Code, language: str) -> None:
    with override("en"):
        english = causes.short(code)
    with override(language):
        assert causes.short(code.value)
        assert (causes.short(code) == english) is (language == "en")


def test_a_list_shows_nothing_for_a_code_that_it_does_not_know() -> None:
    assert causes.short("of-a-later-version") == ""


def test_a_problem_of_the_change_has_the_words_of_its_form() -> None:
    problem = Problem("container-unknown", {"container": "app"})
    assert causes.text(knative_causes.of_problem(problem)) == words.problem(problem)


def test_an_image_that_cannot_be_pulled_is_named_in_full_where_it_is_known() -> None:
    named = Cause(Code.IMAGE_MISSING, facts=Image("registry.example.com/shop/cart:1.2"))
    assert causes.text(named).startswith("The image registry.example.com/shop/cart:1.2 cannot be pulled.")
    assert causes.text(Cause(Code.IMAGE_MISSING)).startswith("The image cannot be pulled.")


def test_what_is_known_is_shown_and_the_rest_is_a_question_mark() -> None:
    assert "exit code 137" in causes.text(Cause(Code.CRASH, facts=Exit(137)))
    assert "exit code" not in causes.text(Cause(Code.CRASH))
    assert causes.text(Cause(Code.CONFLICT, facts=Writer("ruth", operation=uuid4()))).startswith("ruth changed")
    assert causes.text(Cause(Code.CONFLICT, facts=Writer("ruth"))).startswith("ruth (cluster identity) changed")
    assert causes.text(Cause(Code.CONFLICT)).startswith("? changed")
    assert "“deploy”" in causes.text(Cause(Code.NOT_ALLOWED, facts=Lacks("deploy")))


STORED: dict[str, Any] = {  # by version 0.1 and the one before this module
    "code": "crash",
    "raw": "Error: exit status 1",
    "facts": {"exit_code": "1", "container": "app"},
    "logs": "panic: no database",
    "warnings": [{"about": "Pod/shop-00002-a", "reason": "BackOff", "message": "restarting failed container"}],
    "pods": [{"name": "shop-00002-a", "phase": "Running", "ready": "0/1"}],
}


def page_of(client: Client, people: dict[str, User], status: str, cause: dict[str, Any]) -> str:
    operation = Operation.objects.create(
        cluster="box",
        namespace="default",
        name="shop",
        kind="SplitTraffic",
        sealed_change=seal({"kind": "SplitTraffic", "targets": []}),
        sealed_seen=seal(factories.service()),
        actor="ruth",
        status=status,
        finished_at=datetime(2026, 11, 24, 10, 30, tzinfo=UTC),
        cause=cause,
    )
    client.force_login(people["administrator"])
    return read(client.get(f"/operations/{operation.id}/")).text


def test_a_page_shows_all_that_was_read_when_it_failed(client: Client, mirror: MirrorWriter, people) -> None:
    found = page_of(client, people, "failed", STORED)
    for told in (
        "The container keeps crashing (exit code 1).",
        "Error: exit status 1",
        "panic: no database",
        "BackOff Pod/shop-00002-a restarting failed container",
        "shop-00002-a 0/1 Running",
    ):
        assert told in found


def test_a_page_shows_who_wrote_when_and_both_sides_of_a_conflict(client: Client, mirror: MirrorWriter, people) -> None:
    other = uuid4()
    facts = {"who": "olga", "at": "2026-11-24T10:00:00+00:00", "operation": str(other)}
    conflicts = [{"field": "spec.template.spec.timeoutSeconds", "was": "300", "theirs": "7"}]
    found = page_of(client, people, "conflicted", {"code": "conflict", "facts": facts, "conflicts": conflicts})
    assert "olga changed the same fields after you saw the preview. 2026-11-24 10:00:00 UTC" in found
    assert "The other operation" in found
    assert "spec.template.spec.timeoutSeconds 300 7" in found


def test_a_page_of_an_operation_without_a_cause_names_none(client: Client, mirror: MirrorWriter, people) -> None:
    found = page_of(client, people, "cancelled", {})
    assert "Cancelled before anything was written." in found
    assert "Raw message" not in found
    assert "Conflict" not in found
