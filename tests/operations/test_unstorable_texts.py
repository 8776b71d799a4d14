"""What a cluster or a container says is kept whatever it holds; runs on PostgreSQL too (make test-servers)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from console import audit
from console.access.actors import Actor
from console.audit.models import Entry
from console.audit.verification import verify
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.request_tests.models import AccessTest
from console.texts import is_storable, storable, unstorable_in

pytestmark = pytest.mark.django_db
UNSTORABLE = {"nul": "a\0b", "surrogate": "a\ud800b", "low surrogate": "\udfff", "only nul": "\0"}
SHOP = {"cluster": "box", "namespace": "default", "name": "shop", "url": "http://x", "count": 1}


@pytest.fixture(params=UNSTORABLE.values(), ids=UNSTORABLE)
def text(request) -> str:
    found: str = request.param
    return found


def replaced(text: str) -> str:
    return text.replace("\0", "\ufffd").replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")


def test_a_text_is_kept_with_the_character_replaced_and_found_again(text: str) -> None:
    made = AccessTest.objects.create(**SHOP, error=text, by_body={text: [text, {"a": text}]})
    made.refresh_from_db()
    assert made.error == replaced(text)
    assert AccessTest.objects.filter(error=text).exists()
    AccessTest.objects.filter(id=made.id).update(error=f"{text}2", wanted={"b": text})
    AccessTest.objects.bulk_create([AccessTest(**SHOP, error=text)])
    assert AccessTest.objects.filter(error__endswith="2").get().error == f"{replaced(text)}2"


@pytest.mark.only_on("postgresql")
def test_json_is_kept_with_the_character_replaced_in_keys_too(text: str) -> None:
    made = AccessTest.objects.create(**SHOP, by_body={text: [text, {"a": text}]})
    made.refresh_from_db()
    assert made.by_body == {replaced(text): [replaced(text), {"a": replaced(text)}]}


def test_an_audit_entry_about_such_a_text_is_kept_and_the_chain_holds(text: str) -> None:
    audit.record(
        "test",
        actor=Actor(None, f"who {text}", "192.0.2.1", text),
        ref=ServiceRef("box", "default", f"n{text}"),
        outcome=audit.Outcome.SUCCEEDED,
        changes=[FieldChange(("metadata", "annotations", text), text, None)],
        text=text,
    )
    (entry,) = Entry.objects.all()
    assert verify() == 1
    assert entry.text == replaced(text)
    assert entry.changes[0]["before"] == replaced(text)


def test_a_block_of_code_that_watches_queries_leaves_the_replacement_in_place() -> None:
    """Django takes the last wrapper away after such a block, whichever that is."""
    before = list(connection.execute_wrappers)
    connection.execute_wrappers.clear()
    with connection.execute_wrapper(lambda execute, *arguments: execute(*arguments)):
        connection_created.send(sender=type(connection), connection=connection)
    assert connection.execute_wrappers == before


def test_what_is_storable_stays_as_it_is() -> None:
    data = {"é": ["漢字😀", 1, None, True, 2.5, {"x": ()}]}
    assert storable(data) == data
    assert is_storable("漢字😀\x01\n")
    assert [unstorable_in(text) for text in ("x", "\0", "\ud800")] == ["", "U+0000", "U+D800"]
