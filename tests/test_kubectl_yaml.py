"""What the console writes as YAML, kubectl reads back as the same; what people paste, it reads as kubectl would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from console import kubectl_yaml
from tests.recording import RECORDINGS
from tests.support.manifests import BY_NAME

ANSWERS = json.loads((Path(RECORDINGS) / "kubectl-yaml.json").read_text())["answers"]

# Pieces of texts that readers of YAML are known to trip over.
_PIECES = [
    *("0", "1", "8", "12", "e", "E", "x", "o", "b", "_", ".", "-", "+", ":", "y", "n", "on", "yes", "null", "~", "inf"),
    *(" ", "\t", "\n", "\r", "\x85", "\u2028", "\u2029", "\ufeff", "é", "漢", "😀", "\x7f", "\x01", "\0", "\v", "\xa0"),
    *(
        "'",
        '"',
        "\\",
        "#",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "?",
        "- ",
        ": ",
        "---",
        "<<",
    ),
]
texts = st.lists(st.sampled_from(_PIECES), max_size=6).map("".join) | st.text(max_size=8)
scalars = texts | st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e20, 1e20)
data = st.dictionaries(
    texts,
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)),
    max_size=4,
)


@pytest.mark.parametrize(("text", "answer"), ANSWERS, ids=[repr(text) for text, _answer in ANSWERS])
def test_a_text_means_what_kubectl_makes_of_it(text: str, answer: Any) -> None:
    if answer is None:
        with pytest.raises(yaml.YAMLError):
            kubectl_yaml.load(text)
    else:
        assert _as_floats(kubectl_yaml.load(text)) == _as_floats(answer)


@given(data)
def test_what_is_written_is_read_back_as_the_same(data: dict[str, Any]) -> None:
    written = kubectl_yaml.dump(data)
    assert kubectl_yaml.load(written) == data
    crlf = written.replace("\n", "\r\n")  # as a browser sends it back
    assert kubectl_yaml.load(crlf) == data


@given(data)
def test_readers_of_plain_yaml_1_1_see_the_same(data: dict[str, Any]) -> None:
    assert yaml.safe_load(kubectl_yaml.dump(data)) == data


@pytest.mark.parametrize("name", BY_NAME)
def test_a_hard_manifest_is_read_back_as_it_is(name: str) -> None:
    assert kubectl_yaml.load(kubectl_yaml.dump(BY_NAME[name])) == BY_NAME[name]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("81111e1", "'81111e1'"),
        ("0o17", "'0o17'"),
        ("12:30", "'12:30'"),
        ("2026-11-01", "'2026-11-01'"),
        ("yes", "'yes'"),
        ("y", "'y'"),
        ("", "''"),
        ("a\x85b", '"a\\Nb"'),
        (" a", "' a'"),
        ("tab\t", '"tab\\t"'),
        ("set -e\n./migrate\n", "|\n  set -e\n  ./migrate"),
        ("blank at the end \nx", '"blank at the end \\nx"'),
        ("128Mi", "128Mi"),
        ("shop-00001", "shop-00001"),
        ("http://shop.example.com/a?b=c", "http://shop.example.com/a?b=c"),
        ("漢字", "漢字"),
    ],
)
def test_a_text_is_quoted_where_a_reader_could_take_it_for_something_else(value: str, written: str) -> None:
    assert kubectl_yaml.dump({"v": value}) == f"v: {written}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x 1\nb: *x", "aliases are not accepted"),
        ("a: 1\n'a': 2", "the key a is listed twice"),
        ("1: x\n'1': y", "the key 1 is listed twice"),
        ("on: x\ntrue: y", "the key true is listed twice"),
        ("1.5: x", "put it in quotes"),
        ("a: " + "[" * 60 + "]" * 60, "61 depth, at most 50 are read"),
        ("a: [" + "0," * 50_000 + "]", "50003 nodes, at most 40000 are read"),
        ("a: .inf", "neither NaN nor infinity"),
        ("a: !mine x", "the tag !mine is not accepted"),
        ("a: 1\n---\nb: 2", "only one document"),
        ("a: x\ufeff", "byte order mark"),
        ("- a", "expected a mapping"),
        ("", "expected a mapping"),
        ("a: " + "x" * kubectl_yaml.MAX_BYTES, "at most 262144 are read"),
    ],
)
def test_what_is_refused_says_why(text: str, problem: str) -> None:
    with pytest.raises(yaml.YAMLError, match=problem):
        kubectl_yaml.load(text)


def _as_floats(value: Any) -> Any:
    """JSON has one type of number."""
    if isinstance(value, dict):
        return {key: _as_floats(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_floats(inner) for inner in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
