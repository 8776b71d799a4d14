"""The reader of forms does what the HTML standard says of browsers."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from tests.support.browser import Form, change_forms, forms_of


def form(inner: str) -> Form:
    return forms_of(f'<form method="post" action="/x">{inner}</form>')[0]


@pytest.mark.parametrize(
    ("inner", "sent"),
    [
        ('<input name=a value="x">', [("a", "x")]),
        ('<input name=a value="one&#10;line&#13;only">', [("a", "onelineonly")]),
        ('<input type=hidden name=a value="two\nlines">', [("a", "two\r\nlines")]),
        ("<textarea name=a>\n\nfirst line is empty\n</textarea>", [("a", "\r\nfirst line is empty\r\n")]),
        ("<textarea name=a>&lt;b&gt;&amp;amp;</textarea>", [("a", "<b>&amp;")]),
        ("<input type=checkbox name=a value=1><input type=checkbox name=b checked>", [("b", "on")]),
        ("<input type=radio name=a value=1><input type=radio name=a value=2 checked>", [("a", "2")]),
        ("<select name=a><option value=1>one<option value=2 selected>two</select>", [("a", "2")]),
        ("<select name=a><option disabled>no</option><option> first  free </option></select>", [("a", "first free")]),
        ("<select name=a></select>", []),
        ("<input name=a value=x disabled><input name=b value=y readonly>", [("b", "y")]),
        ("<fieldset disabled><input name=a><textarea name=b></textarea></fieldset><input name=c>", [("c", "")]),
        ("<input type=number name=a value=0.7><input type=number name=b value=010>", [("a", "0.7"), ("b", "010")]),
        ("<input type=number name=a value=+1><input type=number name=b value=soon>", [("a", ""), ("b", "")]),
        ('<input type=email name=a value=" x@y ">', [("a", "x@y")]),
        ("<template><input name=a value=x><textarea name=b></textarea></template><input name=c>", [("c", "")]),
        ("<input value=nameless><button name=b value=1>send</button>", []),
    ],
)
def test_what_is_sent(inner: str, sent: list[tuple[str, str]]) -> None:
    assert form(inner).entries() == sent


def test_a_button_sends_its_name_when_it_is_pressed() -> None:
    found = form("<input name=a value=x><button name=b value=1>one</button><button name=b value=2>two</button>")
    assert found.entries(found.button("b", "2")) == [("a", "x"), ("b", "2")]


def test_a_control_outside_names_its_form() -> None:
    found = forms_of("<form id=f></form><form id=g></form><input form=f name=a value=x>")
    assert [one.entries() for one in found] == [[("a", "x")], []]


def test_what_is_sent_arrives_as_it_was() -> None:
    odd = "a=b&c+d %\u2028\x85\v漢😀"
    found = form(f"<textarea name='{odd[:3]}'>{odd.replace('&', '&amp;')}</textarea>")
    assert parse_qsl(found.encoded()) == [(odd[:3], odd)]


def test_a_person_types_no_line_break_into_one_line_and_nothing_into_what_is_locked() -> None:
    found = form("<input name=a><input name=b readonly><input type=hidden name=c><select name=d><option>x</select>")
    found.type("a", "one\ntwo")
    assert found["a"].value == "onetwo"
    for name, text in (("b", "x"), ("c", "x"), ("d", "not offered")):
        with pytest.raises(ValueError, match=name):
            found.type(name, text)


def test_a_script_that_encodes_the_fields_itself_sends_plain_line_feeds() -> None:
    found = form("<textarea name=a>x\ny</textarea>")
    assert found.entries(newline="\n") == [("a", "x\ny")]
    assert found.entries() == [("a", "x\r\ny")]


def test_only_forms_that_change_a_service_are_change_forms() -> None:
    page = "<form><input name=q></form><form method=post><input type=hidden name=resource_version value=7></form>"
    assert [one.entries() for one in change_forms(page)] == [[("resource_version", "7")]]
