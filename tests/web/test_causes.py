"""Each cause of an end has a text in each language, and shows what is known of it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils.translation import override

from console.knative import causes as knative_causes
from console.knative.causes import Cause, Code, Exit, Lacks, Writer
from console.knative.problems import Problem
from console.web import causes, words

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


def test_what_is_known_is_shown_and_the_rest_is_a_question_mark() -> None:
    assert "exit code 137" in causes.text(Cause(Code.CRASH, facts=Exit(137)))
    assert "exit code" not in causes.text(Cause(Code.CRASH))
    assert causes.text(Cause(Code.CONFLICT, facts=Writer("ruth"))).startswith("ruth changed")
    assert causes.text(Cause(Code.CONFLICT)).startswith("? changed")
    assert "“deploy”" in causes.text(Cause(Code.NOT_ALLOWED, facts=Lacks("deploy")))
