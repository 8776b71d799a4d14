"""What a webhook finds wrong: messages with field paths, merged and ordered as knative.dev/pkg/apis does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One message about one or more fields; `details` is a further line."""

    message: str
    paths: tuple[str, ...]
    details: str = ""

    def under(self, prefix: str) -> Problem:
        """The same problem seen from a level above: `spec` in front of every path."""
        return Problem(self.message, tuple(join(prefix, path) for path in self.paths), self.details)


Problems = list[Problem]


def join(prefix: str, path: str) -> str:
    """`a` and `b` make `a.b`, `a` and `[0]` make `a[0]`; an empty path means the field itself.

    Paths are split at their dots: the key `[b.c]` of a map is two steps and no index, so that `a` makes `a.[b.c]`.
    """
    if not prefix or not path:
        return prefix or path
    first = path.partition(".")[0]
    return prefix + path if first.startswith("[") and first.endswith("]") else f"{prefix}.{path}"


def under(prefix: str, problems: Iterable[Problem]) -> Problems:
    """All problems with `prefix` in front of their paths."""
    return [problem.under(prefix) for problem in problems]


def missing(*paths: str) -> Problem:
    """A field that must be there."""
    return Problem("missing field(s)", paths)


def disallowed(*paths: str) -> Problem:
    """A field that Knative does not let people set."""
    return Problem("must not set the field(s)", paths)


def invalid(value: object, path: str, details: str = "") -> Problem:
    """A value that cannot be."""
    return Problem(f"invalid value: {value}", (path,), details)


def both(*paths: str) -> Problem:
    """More than one of a group of which one may be set."""
    return Problem("expected exactly one, got both", paths)


def neither(*paths: str) -> Problem:
    """None of a group of which one has to be set."""
    return Problem("expected exactly one, got neither", paths)


def invalid_key(key: str, path: str, details: str = "") -> Problem:
    """A map's key that cannot be."""
    return Problem(f'invalid key name "{key}"', (path,), details)


def out_of_bounds(value: object, low: object, high: object, path: str) -> Problem:
    """A number outside its range."""
    return Problem(f"expected {low} <= {value} <= {high}", (path,))


def text(problems: Iterable[Problem]) -> str:
    """One line a problem (and its details), ordered by message; the paths of equal problems are gathered and sorted."""
    gathered: dict[tuple[str, str], set[str]] = {}
    for problem in problems:
        gathered.setdefault((problem.message, problem.details), set()).update(problem.paths)
    lines = []
    for (message, details), paths in sorted(gathered.items()):
        line = f"{message}: {', '.join(sorted(paths))}"
        lines.append(f"{line}\n{details}" if details else line)
    return "\n".join(lines)
