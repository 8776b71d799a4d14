"""A pasted .env file, read as python-dotenv reads it; nothing is expanded (docs/decisions/0002)."""

import io

from dotenv.parser import parse_stream

from console.knative import newlines, validation
from console.knative.changes import EnvEntry
from console.knative.limits import MAX_VARIABLES
from console.knative.problems import Problem

MAX_BYTES = 1 << 20  # of the text: a larger service fits into no cluster
MAX_LINES = 20_000
MAX_PROBLEMS = 50  # that are shown; of the others, how many


def parse_env_lines(text: str, *, is_sidecar: bool = False) -> tuple[tuple[EnvEntry, ...], list[Problem]]:
    """Return the variables of a .env file and what is wrong with it, each problem with its line.

    Quotes, escapes, comments, `export` and values over several lines mean what they mean to python-dotenv.
    A text beyond a limit is not read.
    """
    if too_large := _too_large(text):
        return (), [too_large]
    entries: list[EnvEntry] = []
    problems: list[Problem] = []
    names: set[str] = set()
    for binding in parse_stream(io.StringIO(newlines.plain(text).removeprefix("\ufeff"))):
        line = binding.original.line + _blank_lines(binding.original.string)
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(Problem("env-paste-line", {"line": line}))
        elif binding.key is not None:
            entry = EnvEntry(binding.key, binding.value or "")
            problems += [_at(line, found) for found in _problems(entry, names, is_sidecar)]
            names.add(entry.name)
            entries.append(entry)
    if len(entries) > MAX_VARIABLES:
        return (), [Problem("limit-variables", {"count": len(entries), "limit": MAX_VARIABLES})]
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [Problem("env-paste-more", {"count": len(problems) - MAX_PROBLEMS})]
    return tuple(entries), problems


def _too_large(text: str) -> Problem | None:
    if (size := len(text.encode(errors="surrogatepass"))) > MAX_BYTES:
        return Problem("env-paste-bytes", {"count": size, "limit": MAX_BYTES})
    if (lines := len(text.splitlines())) > MAX_LINES:
        return Problem("env-paste-lines", {"count": lines, "limit": MAX_LINES})
    return None


def _problems(entry: EnvEntry, before: set[str], is_sidecar: bool) -> list[Problem]:
    found = [validation.env_name(entry.name, is_sidecar=is_sidecar), validation.env_value(entry.value)]
    if entry.name in before:
        found.append(Problem("env-name-duplicate", {"name": entry.name}))
    return [problem for problem in found if problem]


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _at(line: int, found: Problem) -> Problem:
    return Problem("env-paste-problem", {"line": line, "problem": found})
