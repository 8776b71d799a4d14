"""One field of a form is changed: the service differs in that field, and in no other."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from tests.guard.asking import Person, differences, plain
from tests.guard.cases import Case, chosen, of_containers, of_service, serving
from tests.guard.conftest import Stage
from tests.guard.edits import (
    SCALE,
    SETTINGS,
    YAML,
    Edit,
    can_be_edited,
    image_edit,
    of_mounts,
    of_sources,
    of_tolerations,
    renamed,
)
from tests.support.browser import Form


def edits_of(case: Case, form: Form) -> Iterable[Edit]:
    if case.page == "settings":
        yield from SETTINGS
        yield from of_mounts(form["mounts-0-path"].value) if "mounts-0-path" in form else ()
        yield from of_sources() if "env_from-0-prefix" in form else ()
        yield from of_tolerations() if "tolerations-0-key" in form else ()
    elif case.page == "deploy":
        yield image_edit(serving(case.raw))
        yield from SETTINGS[::6]  # it is the form of the settings: every sixth shows that its fields arrive
    elif case.page == "operate":
        yield from SCALE
    elif case.page == "yaml":
        yield from YAML
    else:
        yield image_edit(serving(case.raw))


CASES = [
    *of_containers("settings"),
    *of_containers("image"),
    *of_containers("deploy"),
    *of_service("operate", number=1),
    *of_service("yaml"),
]


@chosen(CASES)
def test_one_edited_field_is_the_only_difference(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    form = person.open(case.page, case.container, case.number)
    failures = [
        f"{edit.name}: {failure}"
        for edit in edits_of(case, form)
        for failure in failures_of(edit, case, person, copy.deepcopy(form))
    ]
    assert failures == []


def failures_of(edit: Edit, case: Case, person: Person, form: Form) -> Iterable[str]:
    """What is wrong with the service that would be written; a field that is shown as read-only is left alone."""
    if not can_be_edited(form, edit.field):
        return
    edit.type(form)
    wanted = edit.after(person.raw, case.container or serving(case.raw))
    answer = person.send(form)
    if sum(len(one.get("ports") or ()) for one in wanted["spec"]["template"]["spec"]["containers"]) > 1:
        if answer.written is not None:
            yield "a second port would be written, which the cluster refuses"
        return
    unchanged = differences(plain(person.raw), plain(wanted)) == []
    if unchanged and answer.says_nothing_changes:
        return
    if answer.written is None:
        yield f"{answer.status}: {'; '.join(answer.complaints) or 'nothing would be written'}"
        return
    yield from differences(plain(renamed(wanted, person.raw)), plain(renamed(answer.written, person.raw)))


def test_every_field_of_a_plain_service_can_be_edited(stage: Stage) -> None:
    person = stage.show(Case("settings", "split-none").raw)
    for page, number, edits in (("settings", 0, SETTINGS), ("operate", 1, SCALE), ("yaml", 0, YAML)):
        form = person.open(page, number=number)
        assert [edit.field for edit in edits if not can_be_edited(form, edit.field)] == []
