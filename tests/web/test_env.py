"""The form of variables: thousands of them, names that are listed twice, several lines, references, the mask."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from dotenv import dotenv_values

from console.access.models import Role
from console.audit.models import Entry
from console.cluster.resources import SERVICES
from console.knative.changes import SetEnv, load
from console.knative.redaction import MASK
from console.operations.models import Preview
from console.sealing import unseal
from console.web.forms.env import MAX_OPEN, PAGE_SIZE
from console.web.forms.env_paste import MAX_SHOWN
from tests import factories
from tests.operations.factories import World
from tests.sandbox_process import Sandbox, sandbox
from tests.support.browser import Form, forms_of
from tests.web.pages import markup, read
from tests.web.test_changes import Shown

SHOP = "/services/box/default/shop/"
ENV = f"{SHOP}env/"
CASE = (Path(__file__).parent / "dotenv.env").read_text()


@pytest.fixture
def shown(client, world, mirror, people) -> Shown:
    client.force_login(people["administrator"])
    return Shown(client, world, mirror)


@pytest.fixture(scope="module")
def lenient() -> Iterator[Sandbox]:
    """Knative of a release that takes a name twice; since 1.23 a list of variables has each name once."""
    with sandbox(knative="1.15") as running:
        yield running


@pytest.fixture
def twice(client, lenient, settings, mirror, people) -> Shown:
    """A service with two variables of one name."""
    settings.CLUSTERS = json.dumps([{"name": "box", "url": lenient.url, "token": lenient.token}])
    client.force_login(people["administrator"])
    shown = Shown(client, World(lenient), mirror)
    set_env(shown, *TWICE)
    return shown


@pytest.fixture
def owner(client, mirror, people):
    client.force_login(people["owner"])
    return client


def give(mirror, *env: dict[str, object]) -> None:
    """Let the shop have these variables."""
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0]["env"] = list(env)
    mirror.put(SERVICES, raw)


def set_env(shown: Shown, *env: dict[str, object]) -> None:
    """Let the service of the sandbox have these variables."""

    def edit(service) -> None:
        service["spec"]["template"]["spec"]["containers"][0]["env"] = list(env)

    shown.world.edit(shown.name, edit)
    shown.mirror_it()


def form_of(page) -> Form:
    return next(form for form in forms_of(page.content.decode()) if form.identity == "typed")


def fields(page) -> dict[str, str]:
    """What a browser would send of the form, without a button."""
    return dict(form_of(page).entries(newline="\n"))


def names(page) -> list[str]:
    """The variables whose lines are shown."""
    return re.findall(r'<code class="strong">([^<]*)</code>', markup(page).partition('id="env-difference"')[0])


def press(client, page, button: str, **typed: str):
    """Press a button of the table, with what else was typed."""
    return client.post(page.wsgi_request.path, {**fields(page), **typed, "row": button})


def change() -> SetEnv:
    """What the newest preview would do to the variables."""
    found = load(unseal(Preview.objects.latest("created_at").sealed_change))
    parts = getattr(found, "changes", (found,))
    return next(part for part in parts if isinstance(part, SetEnv))


def test_two_thousand_variables_are_a_page_of_lines_and_few_fields(owner, mirror) -> None:
    give(mirror, *({"name": f"NUMBER_{number:04}", "value": "x"} for number in range(2000)))
    page = owner.get(ENV)
    assert "2000 variables" in read(page).text
    assert len(names(page)) == PAGE_SIZE
    assert len(fields(page)) < 20
    assert len(page.content) < 200_000
    assert names(press(owner, page, "page:20"))[-1] == "NUMBER_1999"
    assert names(press(owner, page, "filter", filter="_1234")) == ["NUMBER_1234"]


def test_what_is_edited_on_one_page_goes_along_to_the_others(owner, mirror) -> None:
    give(mirror, *({"name": f"NUMBER_{number:04}", "value": "x"} for number in range(2000)))
    page = press(owner, owner.get(ENV), "edit:0:NUMBER_0001")
    page = press(owner, page, "remove:0:NUMBER_0002", **{"value-1": "typed\r\ntwice"})
    page = press(owner, page, "page:20")
    page = press(owner, page, "edit:0:NUMBER_1999")
    assert fields(page)["value-1"] == "typed\ntwice"
    assert fields(page)["action-2"] == "remove"
    assert "value-1999" in fields(page)
    undone = press(owner, page, "undo:0:NUMBER_0002")
    assert "action-2" not in fields(undone)


def test_enter_in_the_filter_filters(owner, mirror) -> None:
    give(mirror, *({"name": f"NUMBER_{number:04}", "value": "x"} for number in range(200)))
    sent = {**fields(owner.get(ENV)), "filter": "0150"}
    page = owner.post(ENV, sent)
    assert page.status_code == 200
    assert names(page) == ["NUMBER_0150"]


def test_too_many_open_lines_are_refused_with_words(owner, mirror) -> None:
    give(mirror, *({"name": f"N{number}", "value": "x"} for number in range(MAX_OPEN + 10)))
    data = {"rows": "9999", "container": "app"}
    for index in range(MAX_OPEN):
        data |= {f"exists-{index}": "1", f"name-{index}": f"N{index}", f"nth-{index}": "0", f"action-{index}": "set"}
    answer = owner.post(ENV, {**data, "row": f"edit:0:N{MAX_OPEN + 1}"})
    assert answer.status_code == 422
    assert f"At most {MAX_OPEN} variables" in read(answer).text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_form_with_more_fields_than_a_request_may_carry_is_answered_with_words(owner, headers) -> None:
    answer = owner.post(ENV, {f"name-{number}": "x" for number in range(30_000)}, headers=headers)
    assert answer.status_code == 413
    assert "too many fields" in read(answer).text
    if headers:
        assert answer["HX-Retarget"] == "#toasts", "the page with what was typed stays"


def test_a_form_that_is_too_large_is_answered_with_words(owner) -> None:
    answer = owner.post(ENV, {"paste": "x" * 4_000_000})
    assert answer.status_code == 413
    assert "too large" in read(answer).text


def test_an_untouched_form_changes_nothing(owner, mirror) -> None:
    answer = owner.post(ENV, fields(owner.get(ENV)) | {"keep_digest": "1"})
    assert answer.status_code == 422
    assert "Nothing was changed." in read(answer).text
    assert not Preview.objects.exists()


def test_lines_that_were_opened_and_left_change_nothing(owner, mirror) -> None:
    page = owner.get(ENV)
    for name in ("TARGET", "PASSWORD", "DB"):
        page = press(owner, page, f"edit:0:{name}")
    assert "Nothing was changed." in read(owner.post(ENV, fields(page))).text


TWICE = ({"name": "MODE", "value": "first"}, {"name": "MODE", "value": "second"}, {"name": "OTHER", "value": "x1234"})


def test_each_of_two_variables_of_the_same_name_is_edited_by_its_place(twice: Shown) -> None:
    shown, path = twice, f"{twice.path}env/"
    page = shown.client.get(path)
    assert "Listed more than once: MODE." in read(page).text
    for nth, expected in ((0, ["typed", "second", "x1234"]), (1, ["first", "typed", "x1234"])):
        opened = press(shown.client, page, f"edit:{nth}:MODE")
        preview = shown.client.post(path, {**fields(opened), f"value-{nth}": "typed"})
        assert preview.status_code == 200
        after = change().apply(read_service(shown))
        assert [variable.value for variable in after.containers[0].env] == expected
    removed = shown.client.post(path, fields(press(shown.client, page, "remove:0:MODE")))
    assert removed.status_code == 200
    once = change().apply(read_service(shown))
    assert [variable.value for variable in once.containers[0].env] == ["second", "x1234"]
    assert change().apply(once).raw == once.raw, "a worker may apply it again"


def read_service(shown: Shown):
    from console.knative.objects import Service

    return Service(shown.world.get(shown.name))


def test_reveal_shows_each_of_two_its_own_value(twice: Shown) -> None:
    page = twice.client.post(f"{twice.path}env/reveal/", fields(twice.client.get(f"{twice.path}env/")))
    assert re.findall(r'<code class="revealed">([^<]*)</code>', page.content.decode()) == ["first", "second", "x1234"]


def test_reveal_tells_a_line_break_at_the_end_of_a_value(shown: Shown) -> None:
    set_env(shown, {"name": "BROKEN", "value": "x\n"})
    sent = fields(shown.client.get(f"{shown.path}env/"))
    assert read(shown.client.post(f"{shown.path}env/reveal/", sent)).text.count("ends with a newline") == 1
    alone = shown.client.post(f"{shown.path}env/reveal/", sent, headers={"HX-Request": "true"}).content.decode()
    assert re.search(r'data-env-edges="ends with a newline"\s+data-env-value="0:BROKEN"', alone)


def test_reveal_keeps_what_was_typed_and_fills_the_fields_that_are_empty(shown: Shown) -> None:
    page = press(shown.client, shown.client.get(f"{shown.path}env/"), "edit:0:TARGET")
    typed = {**fields(page), "value-0": "half typed", "paste": "A=1"}
    revealed = shown.client.post(f"{shown.path}env/reveal/", typed)
    assert fields(revealed)["value-0"] == "half typed"
    assert fields(revealed)["paste"] == "A=1"
    opened = shown.client.post(f"{shown.path}env/", {**fields(revealed), "row": "edit:0:PASSWORD"})
    assert fields(opened)["value-1"] == "canary-secret-first"
    assert (
        "Nothing would change"
        in read(shown.client.post(f"{shown.path}env/", {**fields(opened), "value-0": "First", "paste": ""})).text
    )


def test_who_may_not_reveal_gets_no_value_by_asking_for_it(client, world, mirror, people) -> None:
    deployer = Role.objects.get(name="deployer")
    deployer.permissions = [name for name in deployer.permissions if name != "reveal"]
    deployer.save()
    client.force_login(people["deployer"])
    shown = Shown(client, world, mirror)
    page = client.post(f"{shown.path}env/", {**fields(client.get(f"{shown.path}env/")), "revealed": "1", "row": "add"})
    assert "canary-secret-first" not in page.content.decode()


def test_values_of_several_lines_keep_them_everywhere(shown: Shown) -> None:
    text = "-----BEGIN-----\nabc\n\n-----END-----\n"
    sent = text.replace("\n", "\r\n")  # as browsers do
    shown.set_target(sent)
    assert change().set[0].value == text
    shown.client.post(f"{shown.path}env/", {"rows": "0", "container": "app", "paste": f'KEY="{sent}"\r\nB=2'})
    assert [entry.value for entry in change().set] == [text, "2"]
    chosen = {"services": f"box/default/{shown.name}", "kind": "env", "name": "KEY", "value": sent}
    shown.client.post("/services/bulk/", chosen)
    assert change().set[0].value == text
    assert "<textarea" in shown.client.get("/services/bulk/").content.decode()


def test_a_value_that_was_shown_and_sent_back_is_not_edited_by_its_line_ends(shown: Shown) -> None:
    set_env(shown, {"name": "TARGET", "value": "one\r\ntwo"})
    assert "Nothing would change" in read(shown.set_target("one\r\ntwo")).text


def test_a_pasted_file_is_what_dotenv_reads(shown: Shown, tmp_path) -> None:
    (tmp_path / "x.env").write_text(CASE)
    shown.client.post(f"{shown.path}env/", {"rows": "0", "container": "app", "paste": CASE.replace("\n", "\r\n")})
    read_by_dotenv = dotenv_values(tmp_path / "x.env", interpolate=False)
    assert {entry.name: entry.value for entry in change().set} == read_by_dotenv
    assert read_by_dotenv["E"] == "two\nlines"


@pytest.mark.parametrize(
    ("pasted", "message"),
    [
        ("A=1\nno equals", "Line 2 is not valid NAME=value."),
        ('A=1\n\nB="open\nC=2', "Line 3 is not valid NAME=value."),
        ('A="x" rest', "Line 1 is not valid NAME=value."),
        ("A=1\nB=2\nA=3", "Line 3: “A” is listed twice."),
        ("A=1\nPORT=80", "Line 2: “PORT” is reserved"),
        ("A=1\n2B=3", "Line 2: “2B” is not a valid variable name"),
        (f"A=1\nB=x{MASK}", "Line 2: The value contains ••••"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(owner, pasted: str, message: str) -> None:
    answer = owner.post(ENV, {"rows": "0", "container": "app", "paste": pasted})
    assert answer.status_code == 422
    assert message in read(answer).text
    created = owner.post("/services/new/", {"place": "box/default", "name": "n", "image": "a/b", "variables": pasted})
    assert message in read(created).text


@pytest.mark.parametrize("value", [MASK, f"{MASK}-suffix", f"a{MASK}b", f"line\n{MASK}", "•" * 9])
def test_the_mask_is_refused_in_every_way_in(shown: Shown, value: str) -> None:
    words = "the mask of a hidden value"
    path = shown.path
    sent = {
        f"{path}env/": {"rows": "1", "container": "app", "name-0": "NEW", "value-0": value},
        "/services/bulk/": {"services": f"box/default/{shown.name}", "kind": "env", "name": "NEW", "value": value},
        "/services/new/": {"place": "box/default", "name": "n", "image": "a/b", "variables": f"NEW='{value}'"},
    }
    for address, data in sent.items():
        answer = shown.client.post(address, data)
        assert (answer.status_code, words in read(answer).text) == (422, True), address
    manifest = re.search(r"<textarea[^>]*>(.*?)</textarea>", shown.client.get(f"{path}yaml/").content.decode(), re.S)
    assert manifest
    edited = unescape(manifest[1]).replace(f"value: {MASK}", 'value: "' + value.replace("\n", "\\n") + '"', 1)
    answer = shown.client.post(f"{path}yaml/", {"manifest": edited})
    assert "Nothing would change" in read(answer).text if value == MASK else words in read(answer).text


def test_a_reference_keeps_its_kind_and_what_else_it_says(shown: Shown) -> None:
    reference = {"secretKeyRef": {"name": "db", "key": "url", "optional": True}}
    set_env(shown, {"name": "DB", "valueFrom": reference}, {"name": "TARGET", "value": "First"})
    path = f"{shown.path}env/"
    opened = press(shown.client, shown.client.get(path), "edit:0:DB")
    sent = fields(opened)
    assert (sent["source-0"], sent["reference-0"]) == ("secret", "db/url")
    shown.client.post(path, {**sent, "reference-0": "db/url-2"})
    after = change().apply(read_service(shown)).containers[0].env[0].raw
    assert after == {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url-2", "optional": True}}}


def test_a_reference_becomes_a_plain_value_only_when_that_is_confirmed(shown: Shown) -> None:
    path = f"{shown.path}env/"
    sent = {**fields(press(shown.client, shown.client.get(path), "edit:0:DB")), "source-2": "", "value-2": "plain"}
    asked = shown.client.post(path, sent)
    assert asked.status_code == 422
    assert "“DB” comes from secret db/url." in read(asked).text
    assert fields(asked)["value-2"] == "plain"
    confirmed = shown.client.post(path, {**fields(asked), "literal-2": "1"})
    assert confirmed.status_code == 200
    assert (change().set[0].name, change().set[0].value) == ("DB", "plain")


def test_a_pasted_value_replaces_a_reference_only_when_that_is_confirmed(shown: Shown) -> None:
    path, sent = f"{shown.path}env/", {"rows": "0", "container": "app", "paste": "DB=plain\nNEW=1"}
    asked = shown.client.post(path, sent)
    assert (asked.status_code, "These are currently references: DB." in read(asked).text) == (422, True)
    assert shown.client.post(path, {**fields(asked), "paste_literal": "1"}).status_code == 200


def test_bulk_replaces_a_reference_only_when_that_is_confirmed(shown: Shown) -> None:
    chosen = {"services": f"box/default/{shown.name}", "kind": "env", "name": "DB", "value": "plain"}
    asked = read(shown.client.post("/services/bulk/", chosen)).text
    assert "“DB” comes from secret db/url." in asked
    assert "Deploy to 1 service" not in asked
    assert "Deploy to 1 service" in read(shown.client.post("/services/bulk/", {**chosen, "literal": "1"})).text


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ({"fieldRef": {"fieldPath": "metadata.name"}}, "Field metadata.name"),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "Resource limits.cpu"),
        ({"fileKeyRef": {"path": "x"}}, "Reference fileKeyRef"),
    ],
)
def test_other_sources_are_shown_and_left_alone(owner, mirror, origin, text: str) -> None:
    give(mirror, {"name": "FROM", "valueFrom": origin}, {"name": "TARGET", "value": "x"})
    page = owner.get(ENV)
    assert text in read(page).text
    assert 'value="edit:0:FROM"' not in page.content.decode()
    after = press(owner, page, "edit:0:FROM")
    assert "source-0" not in fields(after)
    shop = factories.service()
    shop["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "FROM", "valueFrom": origin}]
    from console.knative.objects import Service

    done = SetEnv("app", ()).apply(Service(shop))
    assert done.containers[0].env[0].raw == {"name": "FROM", "valueFrom": origin}


def test_a_value_becomes_empty_only_when_that_is_said(shown: Shown) -> None:
    path = f"{shown.path}env/"
    opened = fields(press(shown.client, shown.client.get(path), "edit:0:TARGET"))
    assert "Nothing was changed." in read(shown.client.post(path, opened)).text
    assert shown.client.post(path, {**opened, "empty-0": "1"}).status_code == 200
    assert change().set[0].value == ""


def test_a_variable_that_is_gone_meanwhile_is_a_new_line(owner, mirror) -> None:
    page = press(owner, owner.get(ENV), "edit:0:TARGET", **{"value-0": "typed"})
    give(mirror, {"name": "OTHER", "value": "x"})
    again = owner.post(ENV, {**fields(page), "value-0": "typed", "row": "add"})
    assert "typed" in fields(again).values()
    assert "TARGET" in fields(again).values()


def test_a_line_that_is_only_shown_sends_nothing(owner) -> None:
    sent = {name.rpartition("-")[0] for name in fields(owner.get(ENV)) if name[-1].isdigit()}
    assert sent == set()


def test_the_only_variable_and_the_one_that_the_address_names_are_open_at_once(owner, mirror) -> None:
    give(mirror, {"name": "ONLY", "value": "x"})
    assert fields(owner.get(ENV))["name-0"] == "ONLY"
    give(mirror, {"name": "A", "value": "x"}, {"name": "B", "value": "x"}, {"name": "B", "value": "y"})
    assert "name-0" not in fields(owner.get(ENV))
    assert fields(owner.get(f"{ENV}?edit=A"))["name-0"] == "A"
    assert fields(owner.get(f"{ENV}?edit=1:B"))["nth-2"] == "1"


def test_a_new_line_that_is_taken_back_is_gone_and_the_others_stay(owner) -> None:
    page = press(owner, press(owner, owner.get(ENV), "add"), "add", **{"name-3": "FIRST", "value-3": "1"})
    page = press(owner, page, "drop:3", **{"name-4": "SECOND", "value-4": "2"})
    assert fields(page)["name-4"] == "SECOND"
    page = press(owner, page, "add")
    page = press(owner, page, "drop:4")
    assert "SECOND" not in fields(page).values()


def test_what_was_touched_is_marked_by_what_it_does(owner) -> None:
    page = press(owner, owner.get(ENV), "edit:0:TARGET")
    assert "Changed:" not in marks(page)
    page = press(owner, press(owner, page, "remove:0:PASSWORD", **{"value-0": "typed"}), "add")
    page = press(owner, page, "edit:0:DB", **{"name-3": "NEW", "value-3": "1"})
    assert marks(page) == ["Changed: 1", "New: 1", "Removed: 1"]
    for effect in ("is-changed", "is-new", "is-removed"):
        assert len(re.findall(rf'<tr class="is-\w+ {effect}"', page.content.decode())) == 1


def marks(page) -> list[str]:
    """How many lines are said to be changed, new and removed."""
    shown = re.findall(r'<span data-env-count="\w+">([^<]+)<b>(\d+)</b>', " ".join(page.content.decode().split()))
    return [f"{word.strip()} {count}" for word, count in shown]


def compared(page) -> list[str]:
    """The lines of the difference of a pasted text."""
    part = markup(page).partition('id="env-difference"')[2]
    rows = re.findall(r"<tr class=\"is-\w+\">(.*?)</tr>", part, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


PASTED = {
    "dotenv": "TARGET=First\nPASSWORD=typed\nDB=plain\nNEW='two\nlines'\n",
    "map": "# a remark\nTARGET: First\nPASSWORD: typed\nDB: plain\nNEW: |-\n  two\n  lines\n",
    "list": "    env:\n    - name: TARGET\n      value: First\n    - {name: PASSWORD, value: typed}\n"
    '    - {name: DB, value: plain}\n    - {name: NEW, value: "two\\nlines"}\n',
    "json": '{"TARGET": "First", "PASSWORD": "typed", "DB": "plain", "NEW": "two\\nlines"}',
}


@pytest.mark.parametrize("kind", PASTED)
def test_a_pasted_text_is_compared_by_name_before_anything_happens(shown: Shown, kind: str) -> None:
    page = press(
        shown.client, shown.client.get(f"{shown.path}env/"), "compare", paste=PASTED[kind].replace("\n", "\r\n")
    )
    assert page.status_code == 200
    assert compared(page) == [
        "PASSWORD changed typed",
        "DB changed plain replaces secret db/url",
        "NEW new two and 1 more line",
    ]
    assert "New: 1 Changed: 2 Unchanged: 1" in read(page).text
    assert not Preview.objects.exists()


@pytest.mark.parametrize("kind", PASTED)
def test_what_is_pasted_can_be_edited_in_the_table_or_sent_as_it_is(shown: Shown, kind: str) -> None:
    page = press(shown.client, shown.client.get(f"{shown.path}env/"), "take", paste=PASTED[kind])
    sent = fields(page)
    assert (sent["paste"], sent["value-1"], sent["source-2"], sent["value-2"]) == ("", "typed", "", "plain")
    assert "name-0" not in sent, "what it has already is left alone"
    assert shown.client.post(f"{shown.path}env/", {**sent, "literal-2": "1"}).status_code == 200
    taken = change()
    whole = {**fields(shown.client.get(f"{shown.path}env/")), "paste": PASTED[kind], "paste_literal": "1"}
    assert shown.client.post(f"{shown.path}env/", whole).status_code == 200
    service = read_service(shown)
    assert taken.apply(service).raw == change().apply(service).raw


def test_references_of_a_pasted_list_become_references(shown: Shown) -> None:
    pasted = """
- name: TARGET
  valueFrom: {secretKeyRef: {name: db, key: target}}
- name: DB
  valueFrom:
    configMapKeyRef:
      name: settings
      key: url
"""
    page = press(shown.client, shown.client.get(f"{shown.path}env/"), "compare", paste=pasted)
    assert compared(page) == ["TARGET changed db/target", "DB changed settings/url replaces secret db/url"]
    assert shown.client.post(f"{shown.path}env/", {**fields(page)}).status_code == 200
    after = {variable.name: variable.raw for variable in change().apply(read_service(shown)).containers[0].env}
    assert after["TARGET"]["valueFrom"] == {"secretKeyRef": {"name": "db", "key": "target"}}
    assert after["DB"]["valueFrom"] == {"configMapKeyRef": {"name": "settings", "key": "url"}}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1.10", "1.10"),
        ("yes", "yes"),
        ("0x1F", "0x1F"),
        ("007", "007"),
        ("", ""),
        ("~", ""),
        ("'~'", "~"),
        ("2026-01-02", "2026-01-02"),
    ],
)
def test_a_value_in_yaml_is_kept_as_it_is_written(shown: Shown, written: str, value: str) -> None:
    shown.client.post(f"{shown.path}env/", {"rows": "0", "container": "app", "paste": f"NEW: {written}"})
    assert change().set[0].value == value


@pytest.mark.parametrize(
    ("pasted", "message"),
    [
        ("A: 1\nB: [1, 2]", "Line 2 is not a variable."),
        ("A: {x: y}", "Line 1 is not a variable."),
        ("- name: A\n  value: x\n- value: y", "Line 3 is not a variable."),
        ("- name: A\n  value: x\n  valueFrom: {secretKeyRef: {name: a, key: b}}", "Line 1 is not a variable."),
        ("- name: A\n  valueFrom: {fieldRef: {fieldPath: metadata.name}}", "Line 2 is not a variable."),
        ("- name: A\n  valueFrom: {secretKeyRef: {name: a, key: b, optional: true}}", "Line 2 is not a variable."),
        ("- plain\n- text", "Line 1 is not a variable."),
        ("A: 1\nA: 2", "Line 2: “A” is listed twice."),
        ("A: 1\nPORT: 80", "Line 2: “PORT” is reserved"),
        ("A: 1\n2B: x", "Line 2: “2B” is not a valid variable name"),
        (f"A: x{MASK}", "Line 1: The value contains ••••"),
        ("A: &a x\nB: *a", "Line 2 has a YAML alias"),
        ("A: 'open", "not valid YAML"),
        ("- name: A\n  valueFrom: {secretKeyRef: {name: '', key: b}}", "Line 1: Use the format NAME/KEY"),
    ],
)
def test_yaml_that_says_no_variable_is_refused_with_its_line(owner, pasted: str, message: str) -> None:
    for button in ({}, {"row": "compare"}, {"row": "take"}):
        answer = owner.post(ENV, {"rows": "0", "container": "app", "paste": pasted, **button})
        assert answer.status_code == 422
        assert message in read(answer).text
        assert fields(answer)["paste"] == pasted
    assert not Preview.objects.exists()


def test_more_pasted_variables_than_can_be_open_stay_in_the_field_and_are_sent_from_there(shown: Shown) -> None:
    pasted = "\n".join(f"N{number}=x" for number in range(MAX_OPEN + 1))
    page = press(shown.client, shown.client.get(f"{shown.path}env/"), "take", paste=pasted)
    assert f"At most {MAX_OPEN} variables" in read(page).text
    assert fields(page)["paste"] == pasted
    assert len(compared(page)) == MAX_SHOWN
    assert f"and {MAX_OPEN + 1 - MAX_SHOWN} more variables" in read(page).text
    shown.client.post(f"{shown.path}env/", fields(page))
    assert len(change().set) == MAX_OPEN + 1


def test_one_value_is_revealed_alone_and_the_log_names_it(shown: Shown) -> None:
    sent = {**fields(shown.client.get(f"{shown.path}env/")), "variable": "0:PASSWORD", "value-0": "typed"}
    page = shown.client.post(f"{shown.path}env/reveal/", sent, headers={"HX-Request": "true"})
    assert re.findall(r'<span hidden data-env-value="([^"]+)">([^<]*)<', page.content.decode()) == [
        ("0:PASSWORD", "canary-secret-first")
    ]
    assert "First" not in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    [entry] = Entry.objects.filter(action="reveal.Env")
    assert "PASSWORD" in entry.text
    assert shown.client.post(f"{shown.path}env/reveal/", {**sent, "variable": "0:NONE"}).status_code == 200
    assert Entry.objects.filter(action="reveal.Env").count() == 1, "nothing was shown"


def test_all_values_are_revealed_without_the_page_around_them(shown: Shown) -> None:
    sent = fields(shown.client.get(f"{shown.path}env/"))
    page = shown.client.post(f"{shown.path}env/reveal/", sent, headers={"HX-Request": "true"})
    assert [key for key, _value in re.findall(r'data-env-value="([^"]+)">([^<]*)<', page.content.decode())] == [
        "0:TARGET",
        "0:PASSWORD",
    ]
    assert "<form" not in page.content.decode()
