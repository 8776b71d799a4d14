"""Which release of Knative Serving the sandbox speaks as: the newest, unless `--knative` names an older one.

A release is listed here when the contract suite runs against it (tests/real_cluster/serving): what the sandbox says of
it is held by a real one. Where they differ, code asks `knative_version() > OLDEST`, naming the first that does so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Version(NamedTuple):
    """The part of a release that decides what it does."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


OLDEST = Version(1, 15)
NEWEST = Version(1, 23)
# As the label app.kubernetes.io/version of everything that an installation brings names them.
RELEASES = {OLDEST: "1.15.2", NEWEST: "1.23.0"}
_spoken = NEWEST  # one process is one cluster


def knative_version() -> Version:
    return _spoken


def parse(text: str) -> Version:
    """Return the version that 1.15 names; raises ValueError for one that the sandbox does not speak as."""
    found = next((version for version in RELEASES if str(version) == text), None)
    if found is None:
        raise ValueError(f"{text} is not one of {', '.join(map(str, RELEASES))}")
    return found


@contextmanager
def speaking_as(version: Version) -> Iterator[None]:
    """Speak as this version until the end of the block."""
    global _spoken  # noqa: PLW0603 (a webhook's version is its process's, too)
    before, _spoken = _spoken, version
    try:
        yield
    finally:
        _spoken = before
