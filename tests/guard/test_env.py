"""The table of variables: an edited variable is the only difference, and an untouched table is none."""

from __future__ import annotations

from collections.abc import Iterator

from tests.guard.asking import Person
from tests.guard.cases import Case, chosen, of_containers
from tests.guard.conftest import Stage
from tests.guard.test_other_forms import edited, variables, wrong
from tests.guard.test_untouched import assert_nothing_changes
from tests.support.browser import Form
from tests.support.manifests import Object
from tests.support.manifests.variables import MASK

TYPED = " typed\n\tin lines \n"


def keys(case: Case) -> list[str]:
    """What the buttons of each line send: which of the variables of that name it is, and the name."""
    names = [entry["name"] for entry in variables(case.raw, case.container)]
    return [f"{names[:index].count(name)}:{name}" for index, name in enumerate(names)]


def places(case: Case) -> list[int]:
    """The first variables, one in the middle and the last."""
    count = len(keys(case))
    return sorted({0, 1, 2, 3, count // 2, count - 1} & set(range(count)))


def opened(person: Person, case: Case, button: str, place: int) -> Form:
    """Press a button of a line, which is looked for by its name where there are several pages of lines."""
    form = person.open("env", case.container)
    key = keys(case)[place]
    if "filter" in form:
        form.type("filter", key.partition(":")[2])
        form = person.press(form, "row", "filter")
    return person.press(form, "row", f"{button}:{key}")


def offers(person: Person, case: Case, button: str, place: int) -> bool:
    """The line has the button: what comes from a field of the pod is edited in YAML."""
    entry = variables(case.raw, case.container)[place]
    return button != "edit" or not {"fieldRef", "resourceFieldRef"} & set(entry.get("valueFrom") or ())


def has_values(case: Case) -> bool:
    """Something could be revealed: references are shown as they are."""
    return any("valueFrom" not in entry for entry in variables(case.raw, case.container))


def offers_values(form: Form) -> bool:
    return any(control.action.endswith("/reveal/") for control in form.controls)


def field(form: Form, name: str) -> str:
    """The name of the one control whose name begins so: the line that is open."""
    found = [control.name for control in form.controls if control.name.startswith(f"{name}-")]
    return next(one for one in found if f"exists-{one.rpartition('-')[2]}" in form)


@chosen(of_containers("env"))
def test_a_table_sent_back_untouched_changes_nothing(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    assert_nothing_changes(person, person.send(person.open("env", case.container)))


@chosen(of_containers("env"))
def test_a_line_that_is_opened_and_revealed_and_left_changes_nothing(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    for place in places(case):
        if offers(person, case, "edit", place):
            form = opened(person, case, "edit", place)
            assert_nothing_changes(person, person.send(form))
            assert offers_values(form) == has_values(case)
            if not has_values(case):
                continue
            answer = person.send(person.reveal(form))
            if MASK in variables(case.raw, case.container)[place].get("value", ""):
                assert "the mask of a hidden value" in " ".join(answer.complaints)  # nothing sends the mask
            else:
                assert_nothing_changes(person, answer)


@chosen(of_containers("env"))
def test_one_edited_variable_is_the_only_difference(stage: Stage, case: Case) -> None:
    person = stage.show(case.raw)
    failures: list[str] = []
    for place in places(case):
        if offers(person, case, "edit", place):
            failures += [f"set {place}: {row}" for row in _set_value(person, case, place)]
            failures += [f"refer {place}: {row}" for row in _set_reference(person, case, place)]
        failures += [f"remove {place}: {row}" for row in _remove(person, case, place)]
    failures += [f"add: {row}" for row in _add(person, case)]
    failures += [f"paste: {row}" for row in _paste(person, case)]
    assert failures == []


def _set_value(person: Person, case: Case, place: int) -> Iterator[str]:
    form = opened(person, case, "edit", place)
    form.type(field(form, "source"), "")
    form.type(field(form, "value"), TYPED)
    is_reference = "valueFrom" in variables(case.raw, case.container)[place]
    answer = person.send(form)
    if is_reference:
        if answer.written is not None or not answer.complaints:
            yield "a reference became a plain value without a question"
        form = person.form_of(answer, form)
        form.type(field(form, "literal"), "on")
        answer = person.send(form)

    def change(_raw: Object, container: Object) -> None:
        container["env"][place] = {"name": container["env"][place]["name"], "value": TYPED}

    yield from wrong(answer, edited(case.raw, change, case.container))


def _set_reference(person: Person, case: Case, place: int) -> list[str]:
    form = opened(person, case, "edit", place)
    form.type(field(form, "source"), "secret")
    form.type(field(form, "reference"), "other/key")

    def change(_raw: Object, container: Object) -> None:
        """Whether it may be missing stays as it was."""
        present = container["env"][place]
        was = next(iter((present.get("valueFrom") or {"": {}}).values()))
        optional = {"optional": was["optional"]} if "optional" in was else {}
        reference = {"secretKeyRef": {"name": "other", "key": "key", **optional}}
        container["env"][place] = {"name": present["name"], "valueFrom": reference}

    return wrong(person.send(form), edited(case.raw, change, case.container))


def _remove(person: Person, case: Case, place: int) -> list[str]:
    def change(_raw: Object, container: Object) -> None:
        del container["env"][place]
        if not container["env"]:
            del container["env"]

    answer = person.send(opened(person, case, "remove", place))
    return wrong(answer, edited(case.raw, change, case.container))


def _add(person: Person, case: Case) -> list[str]:
    form = person.press(person.open("env", case.container), "row", "add")
    row = next(c.name.rpartition("-")[2] for c in form.controls if c.name.startswith("name-") and c.is_editable)
    form.type(f"name-{row}", "ADDED")
    form.type(f"value-{row}", TYPED)
    return wrong(person.send(form), _with(case, "ADDED", TYPED))


def _paste(person: Person, case: Case) -> list[str]:
    form = person.open("env", case.container)
    form.type("paste", '# a remark\nexport ADDED="two\nlines" # another\n')
    return wrong(person.send(form), _with(case, "ADDED", "two\nlines"))


def _with(case: Case, name: str, value: str) -> Object:
    def change(_raw: Object, container: Object) -> None:
        container["env"] = [*(container.get("env") or ()), {"name": name, "value": value}]

    return edited(case.raw, change, case.container)
