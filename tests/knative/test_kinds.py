"""A kind of change is registered once, and nothing asks for its class."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

from console.knative import changes
from console.knative.changes import KINDS, Change, Combined, JudgedBy, KeepDigest, Restart, SetTimeout, Verb

CONSOLE = Path(changes.__file__).parents[2]
CLASSES = {*KINDS, Combined.__name__}
WORDS = {"Deploy", "Redeploy", "Restart"}  # are also on buttons


def every_kind() -> set[type[Change]]:
    """All classes of the package, whether they are registered or not; a class with slots is made twice."""
    below = {inner for one in Change.__subclasses__() for inner in (one, *one.__subclasses__())}
    return {getattr(changes, one.__name__) for one in below if one.__module__.startswith("console.")}


def test_every_kind_is_registered() -> None:
    assert every_kind() == {*KINDS.values(), Combined}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_a_kind_is_plain_data(kind: type[Change]) -> None:
    """The facts of its class are no fields, so they are not kept in the database along with each change."""
    assert dataclasses.is_dataclass(kind)
    facts = {"permission", "verb", "act", "judged_by", "is_companion", "makes_pods"}
    assert facts.isdisjoint(field.name for field in dataclasses.fields(kind))


def test_what_removes_an_object_is_judged_by_what_it_is() -> None:
    """Nothing of the object differs, so the fields would say that nothing is needed."""
    assert all(kind.judged_by is JudgedBy.KIND for kind in KINDS.values() if kind.verb.removes)


def test_the_verbs_are_kns() -> None:
    assert [str(verb) for verb in Verb] == ["service create", "service update", "service delete", "revision delete"]
    assert {verb for verb in Verb if verb.removes} == {Verb.DELETE, Verb.DELETE_REVISION}


def test_a_change_is_named_by_what_a_person_asked_for() -> None:
    keep = KeepDigest("app", "sha256:1")
    assert changes.name_of(Combined((SetTimeout(1), keep))) == "SetTimeout"
    assert changes.name_of(Combined((keep, Restart("2026", {})))) == "Combined"
    assert changes.name_of(keep) == "KeepDigest"


def _asked_for(tree: ast.AST) -> set[str]:
    """The classes that `isinstance` and `case` ask for."""
    found: set[str] = set()
    for node in ast.walk(tree):
        asks = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        where = node.args[1:] if asks else [node.cls] if isinstance(node, ast.MatchClass) else []
        for inner in (each for part in where for each in ast.walk(part)):
            found |= {inner.id} if isinstance(inner, ast.Name) else set()
            found |= {inner.attr} if isinstance(inner, ast.Attribute) else set()
    return found


def test_nothing_asks_for_the_class_of_a_change() -> None:
    """A new kind of change would have to be added wherever somebody asks."""
    found = {
        str(path.relative_to(CONSOLE)): sorted(asked)
        for path in CONSOLE.rglob("*.py")
        if (asked := _asked_for(ast.parse(path.read_text())) & CLASSES)
    }
    assert found == {}


def _texts(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_nothing_asks_for_the_name_of_a_kind() -> None:
    """But where they are registered, and for the words of each; the same holds for templates.

    One button has the name of a kind.
    """
    named = {
        str(path.relative_to(CONSOLE)): sorted(found)
        for path in CONSOLE.rglob("*.py")
        if (found := _texts(ast.parse(path.read_text())) & CLASSES)
    }
    assert named.pop("web/last_step.py") == ["Deploy"]
    assert set(named) == {"knative/changes/__init__.py", "web/words.py"}, named
    templates = (CONSOLE.parent / "templates").rglob("*.html")
    assert [path.name for path in templates if any(f'"{name}"' in path.read_text() for name in CLASSES - WORDS)] == []
