"""Entries of the log as sentences: for every action that the console can write, in both languages."""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.utils.translation import override

from console.access.permissions import Permission
from console.audit.models import Entry
from console.operations.models.statuses import TERMINAL
from console.operations.queries import Made
from console.web import audit_sentences, audit_words
from console.web.sentence_texts import SENTENCES, WHEN_FAILED, WHEN_REFUSED
from console.web.words import KINDS

SOURCES = Path(__file__).parents[2] / "console"
FAMILIES = {"account", "audit", "cluster", "manage", "operation", "outside", "protect", "read", "reveal"}
FAMILIES |= {"second-factor", "session", "token", "view"}
CODE = re.compile(rf"({'|'.join(sorted(FAMILIES))})\.[A-Za-z][A-Za-z-]*")
OPERATION = uuid.UUID("3eff378a-7724-43ba-8db3-435aec472a26")
CHANGED = [{"field": "spec.template.spec.containers.app.env.TARGET", "before": "a", "after": "b"}]
MADE = {OPERATION: Made("SetEnv", "bob", CHANGED)}


def written_codes() -> Iterator[str]:
    """The codes that the sources name, as constants of their own."""
    for path in (path for path in SOURCES.rglob("*.py") if "web" not in path.parts or "views" in path.parts):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                yield node.value


ACTIONS = sorted(
    {
        *written_codes(), *SENTENCES, *WHEN_REFUSED, *WHEN_FAILED, *audit_words.ACTIONS, *audit_words.ABOUT_OPERATIONS,
        *(f"{family}.{kind}" for family in ("deploy", "traffic", "operate", "delete") for kind in KINDS),
        *(f"operation.{status.value}" for status in TERMINAL),
        *(f"{permission.value}.refused" for permission in Permission),
    } - {"audit.forward", "manage.py", *(model._meta.label_lower for model in apps.get_models())}  # no actions
)  # fmt: skip


def entry(action: str, outcome: str = "succeeded", **more) -> Entry:
    facts = {
        "actor": "alice", "actor_id": 1, "cluster": "prod", "namespace": "payments", "service": "checkout",
        "text": "carol in Shop", "operation": OPERATION, "changes": [],
    }  # fmt: skip
    return Entry(action=action, outcome=outcome, **{**facts, **more})


@pytest.mark.parametrize("outcome", ["succeeded", "refused", "failed"])
def test_every_action_is_a_sentence_with_names_in_both_languages(outcome: str) -> None:
    poor = []
    for action in ACTIONS:
        if f"{action}" == "manage.refused" and outcome != "refused":
            continue
        one = entry(action, outcome)
        english = audit_sentences.plain(one, MADE)
        with override("zh-hans"):
            chinese = audit_sentences.plain(one, MADE)
        if action in english or "%(" in english or english == chinese or not re.search("[一-鿿]", chinese):
            poor.append((action, english, chinese))
        if not action.startswith(("outside.begin", "outside.gone", "protect.expire")) and "alice" not in english:
            poor.append((action, english))
    assert poor == []


def test_a_decision_names_both_people_the_service_and_what_changed() -> None:
    one = entry("protect.approve", text="SetEnv 1d48aaef80436eb7 fine")
    assert audit_sentences.plain(one, MADE) == "alice approved bob's change of payments/checkout (TARGET)"
    with override("zh-hans"):
        assert audit_sentences.plain(one, MADE) == "alice 批准了 bob 对 payments/checkout 的变更（TARGET）"


@pytest.mark.parametrize(
    ("action", "outcome", "text", "sentence"),
    [
        ("manage.AddMember", "succeeded", "dora in Shop", "alice added dora to the team Shop"),
        ("manage.CreateRole", "refused", "big: not-held", "alice tried this and was denied: “Created a role” (big)"),
        ("session.sign-in", "refused", "", "alice tried to sign in and was denied"),
        ("protect.approve", "refused", "SetEnv 1d48aaef80436eb7 own change",
         "alice tried to decide on their own change of payments/checkout and was denied (TARGET)"),
        ("deploy.refused", "refused", "", "alice was not allowed to change environment variables, images and settings: "
         "payments/checkout"),
        ("operation.timed-out", "failed", "SetEnv", "alice's change of payments/checkout ended: "
         "Change environment variables, Timed out (TARGET)"),
        ("reveal.Env", "succeeded", "TARGET", "alice revealed values of payments/checkout (TARGET)"),
    ],
)  # fmt: skip
def test_a_sentence_says_what_was_done_or_only_tried(action: str, outcome: str, text: str, sentence: str) -> None:
    assert audit_sentences.plain(entry(action, outcome, text=text), MADE) == sentence


def test_what_an_entry_names_is_escaped() -> None:
    one = entry("manage.AddMember", text="<b>x</b> in <i>y</i>")
    parts = audit_sentences.Parts("<script>", "o", "")
    found = audit_sentences.html(one, {}, parts)
    assert "<script>" not in found
    assert "<i>" not in found
    assert "&lt;b&gt;x&lt;/b&gt;" in found


def test_an_identity_of_a_cluster_and_the_console_are_told_from_a_person() -> None:
    outside = entry("outside.change", actor="admin", actor_id=None)
    assert audit_sentences.plain(outside, {}).startswith("admin (cluster identity) changed")
    assert audit_sentences.plain(entry("outside.delete", actor="", actor_id=None), {}).startswith(
        "An unknown author deleted"
    )
    expired = entry("protect.expire", actor="sluice", actor_id=None, ip="")
    assert audit_sentences.plain(expired, MADE).startswith("bob's change of payments/checkout expired")
