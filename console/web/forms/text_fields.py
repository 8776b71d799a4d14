"""Fields of several lines, one entry a line. What cannot be read is said with its line.

A line can say every text: one that is empty, has blanks at its ends or holds what cannot be seen (line breaks among
it) is written in double quotes with the escapes of JSON.
"""

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.utils.translation import gettext as _

from console.knative import validation
from console.knative.problems import Problem
from console.web import words

MAX_NEW_LINES = 200
BLANKS = " \t"

T = TypeVar("T")


def accept(_entry: Any) -> None:
    """Anything goes."""


@dataclass(frozen=True, slots=True)
class Syntax(Generic[T]):
    """How one entry is written in a line.

    `read` and `check` raise ValueError, with what is wrong as its message where that can be said. Only entries that
    the form did not show are checked. `key` is what may be in one line only.
    """

    read: Callable[[str], T]
    write: Callable[[T], str]
    check: Callable[[T], None] = accept
    key: Callable[[T], Hashable] | None = None

    def line(self, entry: T) -> str | None:
        """Return the line of an entry; None for one that a line cannot say."""
        try:
            line = self.write(entry)
            is_said = not any(lost in line for lost in "\n\r\0") and self.read(line) == entry
        except ValueError:
            return None
        return line if is_said else None

    def entries(self, text: str) -> tuple[T, ...]:
        """Return the entries of a text that `line` made."""
        return tuple(self.read(line) for line in split(text))


class LinesField(forms.CharField):
    """A text of lines, cleaned to the tuple of its entries; empty lines do not count."""

    def __init__(self, syntax: Syntax[Any], *, example: str, **more: Any) -> None:
        attrs = {"rows": 3, "placeholder": example, "spellcheck": "false"}
        super().__init__(required=False, strip=False, widget=forms.Textarea(attrs=attrs), **more)
        self.syntax = syntax
        self.shown: frozenset[str] = frozenset()

    def to_python(self, value: Any) -> Any:
        try:
            return self._entries(numbered(str(value or "")))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def _entries(self, lines: Sequence[tuple[int, str]]) -> tuple[Any, ...]:
        if sum(line not in self.shown for _number, line in lines) > MAX_NEW_LINES:
            raise ValueError(_("At most %(count)s lines are allowed.") % {"count": MAX_NEW_LINES})
        found = tuple(self._entry(number, line) for number, line in lines)
        self._refuse_doubles(found)
        return found

    def _entry(self, number: int, line: str) -> Any:
        try:
            entry = self.syntax.read(line)
            if line not in self.shown:
                self.syntax.check(entry)
        except ValueError as error:
            raise ValueError(str(error) or _("Line %(number)s could not be parsed.") % {"number": number}) from error
        return entry

    def _refuse_doubles(self, entries: Sequence[Any]) -> None:
        if self.syntax.key is None:
            return
        keys = [self.syntax.key(entry) for entry in entries]
        if doubles := [key for key in keys if keys.count(key) > 1]:
            name = " ".join(doubles[0]) if isinstance(doubles[0], tuple) else str(doubles[0])
            raise ValueError(words.problem(Problem("line-double", {"name": name[:80]})))


def numbered(text: str) -> list[tuple[int, str]]:
    """Return the lines that are not empty with their numbers. Only a line end ends a line, as in HTML."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(number, line.strip(BLANKS)) for number, line in enumerate(plain, start=1) if line.strip(BLANKS)]


def split(text: str) -> list[str]:
    """Return the lines that are not empty."""
    return [line for _number, line in numbered(text)]


def quoted(text: str) -> str:
    """Return the text as a line can hold it: as it is, or in quotes with the escapes of JSON."""
    if text.isprintable() and text == text.strip() and not text.startswith('"'):
        return text
    whole = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in whole)


def unquoted(line: str) -> str:
    """Return the text that a line holds; raises ValueError for quotes that do not end, or NUL."""
    if not line.startswith('"'):
        return line
    try:
        text = json.loads(line)
        text.encode()
    except (ValueError, AttributeError) as error:
        message = _("“%(line)s” starts with a quotation mark but is not a valid JSON string.")
        raise ValueError(message % {"line": line[:60]}) from error
    return str(text)


def _no_nul(text: str) -> None:
    if "\0" in text:
        raise ValueError(words.problem(Problem("env-value-nul")))


def _read_name(line: str) -> str:
    return line


def _check_name(name: str) -> None:
    if any(character in name for character in ' /="'):
        raise ValueError


def _read_pair(line: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    if not equals:
        raise ValueError(_("“%(line)s” is not key=value.") % {"line": line[:60]})
    return key.strip(BLANKS), unquoted(value.strip(BLANKS))


def _write_pair(pair: tuple[str, str]) -> str:
    key, value = pair
    return f"{key}={quoted(value)}"


def _key(pair: tuple[str, str]) -> str:
    return pair[0]


def _check_label(pair: tuple[str, str]) -> None:
    if found := validation.label(*pair):
        raise ValueError(words.problem(found))


def _check_annotation(pair: tuple[str, str]) -> None:
    key, value = pair
    if found := validation.annotation_key(key):
        raise ValueError(words.problem(found))
    _no_nul(value)


WORD: Syntax[str] = Syntax(unquoted, lambda text: quoted(text) or '""', _no_nul)
NAME: Syntax[str] = Syntax(_read_name, _read_name, _check_name)
LABEL = Syntax(_read_pair, _write_pair, _check_label, _key)
ANNOTATION = Syntax(_read_pair, _write_pair, _check_annotation, _key)
