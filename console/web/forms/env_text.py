"""Variables as a person pastes them: a .env file or YAML, whichever the first line looks like, with its limits."""

from collections.abc import Iterator

from console.knative import newlines, validation
from console.knative.changes import EnvEntry
from console.knative.limits import MAX_VARIABLES
from console.knative.problems import Problem
from console.web.forms.dotenv import dotenv_lines
from console.web.forms.env_yaml import is_yaml, yaml_lines

MAX_BYTES = 1 << 20  # of the text: a larger service fits into no cluster
MAX_LINES = 20_000
MAX_PROBLEMS = 50  # that are shown; of the others, how many

Read = tuple[tuple[EnvEntry, ...], list[Problem]]


def read_variables(text: str, *, is_sidecar: bool = False) -> Read:
    """Return the variables of a text and what is wrong with it, each problem with its line.

    A text beyond a limit is not read.
    """
    if too_large := _too_large(text):
        return (), [too_large]
    plain = newlines.plain(text).removeprefix("\ufeff")
    entries: list[EnvEntry] = []
    problems: list[Problem] = []
    names: set[str] = set()
    for line, found in yaml_lines(plain) if is_yaml(plain) else dotenv_lines(plain):
        if isinstance(found, Problem):
            problems.append(found)
            continue
        problems += [_at(line, one) for one in _problems(found, names, is_sidecar)]
        names.add(found.name)
        entries.append(found)
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


def _problems(entry: EnvEntry, before: set[str], is_sidecar: bool) -> Iterator[Problem]:
    found = [validation.env_name(entry.name, is_sidecar=is_sidecar), validation.env_value(entry.value)]
    if entry.source:
        found.append(None if entry.object and entry.key else Problem("env-source-invalid"))
        found.append(validation.masked(f"{entry.object}/{entry.key}"))
    if entry.name in before:
        found.append(Problem("env-name-duplicate", {"name": entry.name}))
    yield from (problem for problem in found if problem)


def _at(line: int, found: Problem) -> Problem:
    return Problem("env-paste-problem", {"line": line, "problem": found})
