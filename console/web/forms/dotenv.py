"""A pasted .env file, read as python-dotenv reads it; nothing is expanded (docs/decisions/0002)."""

import io

from dotenv.parser import parse_stream

from console.knative import newlines, validation
from console.knative.changes import EnvEntry
from console.knative.traffic import Problem


def parse_env_lines(text: str, *, is_sidecar: bool = False) -> tuple[tuple[EnvEntry, ...], list[Problem]]:
    """Return the variables of a .env file and what is wrong with it, each problem with its line.

    Quotes, escapes, comments, `export` and values over several lines mean what they mean to python-dotenv.
    """
    entries: list[EnvEntry] = []
    problems: list[Problem] = []
    for binding in parse_stream(io.StringIO(newlines.plain(text).removeprefix("\ufeff"))):
        line = binding.original.line + _blank_lines(binding.original.string)
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(Problem("env-paste-line", {"line": line}))
        elif binding.key is not None:
            entry = EnvEntry(binding.key, binding.value or "")
            problems += [_at(line, found) for found in _problems(entry, entries, is_sidecar)]
            entries.append(entry)
    return tuple(entries), problems


def _problems(entry: EnvEntry, before: list[EnvEntry], is_sidecar: bool) -> list[Problem]:
    found = [validation.env_name(entry.name, is_sidecar=is_sidecar), validation.env_value(entry.value)]
    if any(one.name == entry.name for one in before):
        found.append(Problem("env-name-duplicate", {"name": entry.name}))
    return [problem for problem in found if problem]


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _at(line: int, found: Problem) -> Problem:
    return Problem("env-paste-problem", {"line": line, "problem": found})
