"""The three kinds of patches as functions."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.sandbox.errors import StatusError
from console.sandbox.patches import json_patch, merge_patch, strategic_merge

TREES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(min_size=1, max_size=3), TREES, max_size=4)


# The examples of RFC 7386, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_as_the_rfc_has_it(target, patch, result):
    assert merge_patch(target, patch) == result


# The examples of RFC 6902, appendix A.
@pytest.mark.parametrize(
    ("target", "operations", "result"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"foo": "bar", "baz": "qux"}),
        ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "q"}], {"foo": ["bar", "q", "baz"]}),
        ({"foo": [1, 2]}, [{"op": "remove", "path": "/foo/0"}], {"foo": [2]}),
        ({"foo": [1]}, [{"op": "add", "path": "/foo/-", "value": [2]}], {"foo": [1, [2]]}),
        ({"a": {"x": 1}, "b": {}}, [{"op": "move", "from": "/a/x", "path": "/b/y"}], {"a": {}, "b": {"y": 1}}),
        ({"a": 1}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": 1, "b": 1}),
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
        ({"a/b": 1}, [{"op": "replace", "path": "/a~1b", "value": 2}], {"a/b": 2}),
    ],
)
def test_json_patch_as_the_rfc_has_it(target, operations, result):
    before = copy.deepcopy(target)
    assert json_patch(target, operations) == result
    assert target == before


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "test", "path": "/a", "value": 2}, 422),
        ({"op": "remove", "path": "/none"}, 422),
        ({"op": "replace", "path": "/none", "value": 1}, 422),
        ({"op": "add", "path": "/list/9", "value": 1}, 422),
        ({"op": "add", "path": "/list/01", "value": 1}, 422),
        ({"op": "add", "path": "a", "value": 1}, 422),
        ({"op": "add", "path": "/~2", "value": 1}, 422),
        ({"op": "replace", "path": "/list/０", "value": 1}, 422),
        ({"op": "test", "path": "/a", "value": True}, 422),
        ({"op": "fly", "path": "/a"}, 422),
        ({"path": "/a"}, 422),
        ("remove", 400),
    ],
)
def test_an_operation_that_cannot_be_is_refused(operation, code):
    with pytest.raises(StatusError) as caught:
        json_patch({"a": 1, "list": [1]}, [operation])
    assert caught.value.code == code


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_leaves_the_original_and_applies_twice_as_once(target, patch):
    before = copy.deepcopy(target)
    once = merge_patch(target, patch)
    assert target == before
    assert merge_patch(once, patch) == once


def test_a_strategic_merge_keeps_the_containers_that_it_does_not_name():
    target = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}
    patch = {
        "containers": [
            {"name": "a", "env": [{"name": "Y", "value": "2"}]},
            {"name": "b", "$patch": "delete"},
            {"name": "c"},
        ],
        "$setElementOrder/containers": [{"name": "a"}, {"name": "c"}],
    }
    merged = {"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}
    assert strategic_merge(target, patch) == {"containers": [merged, {"name": "c"}]}
    assert strategic_merge({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}) == {
        "finalizers": ["b"]
    }


def test_a_strategic_merge_tells_the_ports_of_a_service_by_their_number():
    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    patch = {"ports": [{"$patch": "delete", "port": 80}, {"port": 81, "targetPort": 8081}]}
    assert strategic_merge({"ports": ports}, patch) == {"ports": [{"port": 81, "name": "b", "targetPort": 8081}]}
