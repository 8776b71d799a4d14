"""A form that is opened and sent back as a browser sends it changes nothing, whatever the service is like."""

from __future__ import annotations

import pytest

from tests.guard.asking import Answer, Person, differences, plain
from tests.guard.cases import Case, chosen, of_containers, of_service
from tests.guard.conftest import Stage

CASES = [
    *of_containers("settings"),
    *of_containers("image"),
    *of_containers("deploy"),
    *of_service("operate", number=1),
    *of_service("traffic"),
    *of_service("yaml"),
]


@chosen(CASES)
@pytest.mark.parametrize("newline", ["\r\n", "\n"], ids=["browser", "script"])
def test_a_form_sent_back_untouched_changes_nothing(stage: Stage, case: Case, newline: str) -> None:
    person = stage.show(case.raw)
    answer = person.send(person.open(case.page, case.container, case.number), newline=newline)
    assert_nothing_changes(person, answer)


def assert_nothing_changes(person: Person, answer: Answer) -> None:
    if answer.written is not None:
        assert differences(plain(person.raw), plain(answer.written)) == []
    assert answer.complaints == []
    assert answer.says_nothing_changes, f"{answer.status}: the page shows a change"
