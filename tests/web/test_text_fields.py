"""Lines that people write for commands, labels and annotations: what is written is what is meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web.forms import entries, text_fields

SYNTAXES: tuple[text_fields.Syntax[Any], ...] = (
    *(text_fields.WORD, text_fields.NAME, text_fields.LABEL, text_fields.ANNOTATION),
    *(entries.SOURCE, entries.MOUNT, entries.RESOURCE, entries.TOLERATION),
)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for syntax in SYNTAXES:
        try:
            syntax.read(text)
        except ValueError:
            continue


TEXTS = st.text(max_size=12) | st.text('\n\r\v\u2028\u0085 \t"\\=a', max_size=8)


@given(TEXTS)
def test_every_text_has_a_line_of_its_own(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # half of a pair: no JSON on the wire has it
    for syntax, entry in ((text_fields.WORD, text), (text_fields.ANNOTATION, ("k", text))):
        line = syntax.line(entry)
        assert line is not None
        assert line.isprintable()
        assert syntax.entries(f"first=x\r\n{line}\r\n")[1:] == (entry,)


@pytest.mark.parametrize("line", ['"open', '"a" b', '"a\\x"', '"\\ud800"'])
def test_quotes_that_do_not_end_are_refused_with_the_line(line: str) -> None:
    with pytest.raises(ValueError, match="quotation mark"):
        text_fields.WORD.read(line)
