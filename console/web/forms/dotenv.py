"""Lines of a .env file, read as python-dotenv reads them; nothing is expanded (docs/decisions/0002)."""

import io
from collections.abc import Iterator

from dotenv.parser import parse_stream

from console.knative.changes import EnvEntry
from console.knative.problems import Problem

Line = tuple[int, EnvEntry | Problem]


def dotenv_lines(text: str) -> Iterator[Line]:
    """Yield each variable, or what is wrong with a line, by the number of its line.

    Quotes, escapes, comments, `export` and values over several lines mean what they mean to python-dotenv.
    """
    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line + _blank_lines(binding.original.string)
        if binding.error or (binding.key is not None and binding.value is None):
            yield line, Problem("env-paste-line", {"line": line})
        elif binding.key is not None:
            yield line, EnvEntry(binding.key, binding.value or "")


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")
