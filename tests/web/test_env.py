"""The form of variables: thousands of them, names that are listed twice, several lines, references, the mask."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from dotenv import dotenv_values

from console.access.models import Role
from console.cluster.resources import SERVICES
from console.knative.changes import SetEnv, load
from console.knative.redaction import MASK
from console.operations.models import Preview
from console.sealing import unseal
from console.web.forms.env import MAX_OPEN, PAGE_SIZE
from tests import factories
from tests.web.pages import read
from tests.web.test_changes import Shown

SHOP = "/services/box/default/shop/"
ENV = f"{SHOP}env/"
CASE = (Path(__file__).parent / "dotenv.env").read_text()


@pytest.fixture
def shown(client, world, mirror, people) -> Shown:
    client.force_login(people["administrator"])
    return Shown(client, world, mirror)


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


def fields(page) -> dict[str, str]:
    """What a browser would send of the form, without a button."""
    markup = page.content.decode().split('id="typed"')[1].split("</form>")[0]
    found = dict(re.findall(r'<input type="(?:hidden|search)"[^>]* name="([^"]+)" value="([^"]*)"', markup))
    found |= dict(re.findall(r'<input class="[^"]*" name="([^"]+)" value="([^"]*)"', markup))
    found |= dict(re.findall(r'<input class="form-control mono reference" name="([^"]+)" value="([^"]*)"', markup))
    for name, inside in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', markup, re.DOTALL):
        found[name] = inside
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', markup, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    boxes = re.findall(r'type="checkbox" name="([^"]+)" value="1" checked', markup)
    return {name: unescape(value) for name, value in found.items()} | dict.fromkeys(boxes, "1")


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
    markup = page.content.decode()
    assert "2000 variables" in read(page).text
    assert markup.count("NUMBER_") < PAGE_SIZE * 6
    assert len(fields(page)) < 30
    assert len(markup) < 200_000
    last = press(owner, page, "page:20")
    assert "NUMBER_1999" in last.content.decode()
    filtered = press(owner, page, "filter", filter="_1234")
    assert re.findall(r"<code[^>]*>(NUMBER_\d+)<", filtered.content.decode()) == ["NUMBER_1234"]


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
    assert re.findall(r"<code[^>]*>(NUMBER_\d+)<", page.content.decode()) == ["NUMBER_0150"]


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


def test_each_of_two_variables_of_the_same_name_is_edited_by_its_place(shown: Shown) -> None:
    set_env(shown, *TWICE)
    path = f"{shown.path}env/"
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


def test_reveal_shows_each_of_two_its_own_value(shown: Shown) -> None:
    set_env(shown, *TWICE)
    page = shown.client.post(f"{shown.path}env/reveal/", fields(shown.client.get(f"{shown.path}env/")))
    assert re.findall(r'<code class="revealed">([^<]*)</code>', page.content.decode()) == ["first", "second", "x1234"]


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
        ({"fieldRef": {"fieldPath": "metadata.name"}}, "field metadata.name"),
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, "resource limits.cpu"),
        ({"fileKeyRef": {"path": "x"}}, "reference fileKeyRef"),
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
