"""What one look at an object saves, and that it saves nothing else: what a walk hides is hidden."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console.knative import plain_objects, redaction
from console.knative.redaction import seal_env, sealed
from tests import factories
from tests.knative import strategies
from tests.sweeps import examples

KEY = b"key"
CANARY = "canary-4f1d9a07c2"
DIGEST = "sha256:" + "a" * 64
# Texts that a walk changes, that look as if it did, or that another rule is for; and keys that have rules of their own.
texts = st.sampled_from(
    [
        *("plain", "a-b", "env", "x@y", f"r.example.com/a@{DIGEST}", f"http://me:{CANARY}@{DIGEST}", '"env":', "\\"),
        *(f"http://me:{CANARY}@example.com/", f"--token={CANARY}", f"PASSWORD={CANARY}", f"Bearer {CANARY}1", "a--b"),
        *(
            f"AUTHORIZATION: {CANARY}",
            f'{{"token": "{CANARY}"}}',
            f'{{\\"token\\": \\"{CANARY}\\"}}',
            "--token",
            CANARY,
        ),
        *(
            f"failed with: {CANARY}",
            f"it printed {CANARY}",
            f"BASIC {CANARY}1",
            f"me:{CANARY}@r.example.com/a",
            "\ud800",
        ),
    ]
)
names = st.sampled_from(
    [
        *(
            "env",
            "args",
            "command",
            "annotations",
            "labels",
            "httpHeaders",
            "path",
            "message",
            "name",
            "value",
            "image",
        ),
        *("spec", "metadata", "template", "containers", "status", "conditions", "managedFields", "Env", "token"),
    ]
)
anything = st.recursive(
    texts | st.integers(0, 3) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
variables = st.lists(st.fixed_dictionaries({"name": texts, "value": texts}), max_size=2)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.just("app")},
        optional={"env": variables | anything, "args": st.lists(texts, max_size=3), "image": texts, "probe": anything},
    ),
    max_size=2,
)
metadata = st.fixed_dictionaries(
    {"name": st.just("shop")},
    optional={"annotations": st.dictionaries(names, texts, max_size=3), "labels": anything, "managedFields": anything},
)
pods = st.fixed_dictionaries({"containers": containers | anything}, optional={"volumes": anything})
status = st.fixed_dictionaries(
    {}, optional={"conditions": st.lists(st.dictionaries(names, texts, max_size=3)), "url": texts, "more": anything}
)
objects = st.fixed_dictionaries(
    {"metadata": metadata, "status": status},
    optional={
        "spec": pods | st.fixed_dictionaries({"template": st.fixed_dictionaries({"metadata": metadata, "spec": pods})}),
        "kind": texts,
    },
)


def walked(raw: dict[str, Any]) -> dict[str, Any]:
    hiding = redaction._Hiding(raw, lambda value: sealed(value, KEY), redaction._marking(KEY))
    return hiding.object()


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(objects | strategies.services())
@example(factories.service())
@example(factories.revision("hello-00001"))
@example({"metadata": {}, "status": {}, "spec": {"containers": [{"image": "robot:pw123@SHA256:5000/app"}]}})
def test_a_look_hides_exactly_what_a_walk_hides_and_leaves_the_object_alone(raw: dict[str, Any]) -> None:
    untouched = copy.deepcopy(raw)
    assert seal_env(raw, KEY) == walked(raw)
    assert raw == untouched


def with_rest(**fields: Any) -> dict[str, Any]:
    """A revision of which one container has these fields besides a variable."""
    return {"spec": {"containers": [{"env": [{"name": "A", "value": "b"}], **fields}]}}


@pytest.mark.parametrize("need", plain_objects.NEEDS)
def test_each_thing_that_makes_a_text_suspicious_makes_an_object_be_walked_through(need: str) -> None:
    for written in (need, need.upper()):
        rest, _ = plain_objects.taken_apart(with_rest(image=f"a{written}b"))
        assert not plain_objects.is_plain(rest), "a pattern of secret_texts was added that is not looked for"


@pytest.mark.parametrize("key", sorted({*redaction._Hiding._FIELDS, "httpHeaders"} - {"path", "message"}))
def test_each_key_with_a_rule_of_its_own_is_taken_out_or_walked_to(key: str) -> None:
    kept = {"labels", "matchLabels", "nodeSelector"}  # shown as they are, as is whatever is plain
    rest, _ = plain_objects.taken_apart(with_rest(probe={key: {}}))
    assert plain_objects.is_plain(rest) is (key in kept)


def test_an_ordinary_service_and_revision_are_plain() -> None:
    """Else each of them is walked through, and a cold start takes twice as long."""
    pinned = with_rest(image=f"r.example.com/shop/app@{DIGEST}", args=["--port", "8080"])
    for raw in (factories.service(), factories.revision("hello-00001"), pinned):
        assert plain_objects.is_plain(plain_objects.taken_apart(raw)[0])
