"""Values are found as a plain search of each would find them, and texts made to keep a search busy do not."""

from __future__ import annotations

import base64
import gzip

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.knative import secret_search
from console.knative.redaction import MASK, Redactor, mask_env, redact_text
from console.knative.secret_search import ValueIndex
from tests import factories

LARGE = 200_000  # characters
words = st.text("ab", min_size=4, max_size=12)


def found(index: ValueIndex, text: str) -> list[tuple[int, list[str]]]:
    everywhere = [(place, list(values)) for place, values in index.matches(text)]
    return [(place, values) for place, values in everywhere if values]


@given(st.sets(words, max_size=20), st.text("ab", max_size=60))
@example({"aaaa", "aaaab", "aaaabb"}, "aaaabbaaaab")
def test_every_value_is_found_wherever_it_begins_the_longest_first(values: set[str], text: str) -> None:
    expected = [
        (place, sorted((one for one in values if text.startswith(one, place)), key=len, reverse=True))
        for place in range(len(text))
    ]
    assert found(ValueIndex(values), text) == [(place, values) for place, values in expected if values]


@given(st.sets(words, max_size=20), st.text("ab", max_size=60))
def test_many_beginnings_are_found_as_few_are(values: set[str], text: str) -> None:
    one_by_one = ValueIndex(values)
    one_by_one._few = None
    assert found(one_by_one, text) == found(ValueIndex(values), text)


def test_values_that_begin_alike_for_long_are_told_apart() -> None:
    begin = "x" * secret_search.MAX_KEY
    assert found(ValueIndex({f"{begin}a", f"{begin}b"}), f"__{begin}b") == [(2, [f"{begin}b"])]


@given(st.sets(st.text("abc", min_size=8, max_size=30), max_size=10), st.text("abc", max_size=100))
def test_no_value_of_eight_characters_or_more_is_left_in_a_text(values: set[str], text: str) -> None:
    hidden = redact_text(text, values)
    assert not any(value in hidden for value in values)


def test_values_that_overlap_are_hidden_whole() -> None:
    assert redact_text("--abcdefgh12345678--", ["abcdefgh1234", "gh12345678"]) == f"--{MASK}--"


@pytest.mark.parametrize(
    ("secrets", "text"),
    [
        (["x" * LARGE], "x" * (LARGE - 1)),
        (["x" * 100_000 + "y"], "x" * LARGE),
        (["x" * length + "y" for length in range(4, 600)], "x" * 100_000),
        (["x" * length for length in range(4, 600)], "xxxxz" * 20_000),
        (["s3cr3t-value-1"], "a" * LARGE + "@"),
        (["s3cr3t-value-1"], "-" * LARGE + "=--"),
        (["s3cr3t-value-1"], "a.-" * (LARGE // 3) + "="),
        (["s3cr3t-value-1"], '"' + "token" * (LARGE // 5) + '":'),
    ],
    ids=["cut", "almost", "many almost", "beginnings", "scheme", "flags", "names", "json"],
)
def test_a_text_that_is_made_to_keep_the_search_busy_is_searched_at_once(secrets: list[str], text: str) -> None:
    """Each took minutes to hours when the work grew with the square of the text."""
    assert isinstance(Redactor(secrets)(text), str)


def test_a_manifest_with_thousands_of_values_and_texts_is_masked_at_once() -> None:
    raw = factories.service()
    container = raw["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": f"V{at}", "value": f"value-{at}-0123456789"} for at in range(4000)]
    container["args"] = [f"--use=value-{at}-0123456789" for at in range(4000)]
    assert mask_env(raw)["spec"]["template"]["spec"]["containers"][0]["args"] == [f"--use={MASK}"] * 4000


def test_annotations_of_empty_lines_and_of_packed_nothing_are_read_at_once() -> None:
    raw = factories.service()
    bomb = base64.b64encode(gzip.compress(b"[" + b"1," * (1 << 19) + b"1]")).decode()
    raw["metadata"]["annotations"] = {"a/lines": "\n" * LARGE} | {f"a/{at}": bomb for at in range(100)}
    assert mask_env(raw)["metadata"]["annotations"]["a/lines"] == "\n" * LARGE
