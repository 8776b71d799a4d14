"""Releases of Knative Serving, and until when its community supports them."""

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

# Sources: knative/community, mechanics/RELEASE-SCHEDULE.md (a release ends a week after the second one that follows
# it), for 1.19 and later the dates of the tags in knative/serving. Read on 2026-11-26; what lies after that day is
# what the schedule plans: the fourth Tuesday of January, April, July and October.


class Version(NamedTuple):
    """The part of a release that decides what it does."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class Release:
    """A release, its day, and the last day of its support."""

    version: Version
    released: date
    ends: date


RELEASES = tuple(
    Release(Version(1, minor), date.fromisoformat(released), date.fromisoformat(ends))
    for minor, released, ends in (
        (13, "2024-01-23", "2024-07-22"),
        (14, "2024-04-23", "2024-10-22"),
        (15, "2024-07-23", "2025-01-21"),
        (16, "2024-10-22", "2025-04-22"),
        (17, "2025-01-28", "2025-07-28"),
        (18, "2025-04-22", "2025-10-28"),
        (19, "2025-07-22", "2026-02-03"),
        (20, "2025-10-28", "2026-05-05"),
        (21, "2026-01-27", "2026-08-04"),
        (22, "2026-04-28", "2026-11-03"),
        (23, "2026-07-28", "2027-02-02"),
        (24, "2026-10-27", "2027-05-04"),
    )
)
_VERSION = re.compile(r"^v?(\d{1,4})\.(\d{1,4})(?:\.|$|-|\+)")


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a version is supported on a day, and the last day of it; None: not known, it is newer than the table."""

    is_supported: bool | None
    ends: date | None = None


def parse(text: str) -> Version | None:
    """Return the version that an installation's label names (`1.23.0`, `v1.15.2`); None for any other text."""
    found = _VERSION.match(text.strip())
    return Version(int(found[1]), int(found[2])) if found else None


def support_of(version: Version | None, today: date) -> Support:
    """Return what the community says of the version on that day; one older than the table ended long ago."""
    if version is None or version > RELEASES[-1].version:
        return Support(None)
    release = next((one for one in RELEASES if one.version == version), None)
    return Support(today <= release.ends, release.ends) if release else Support(False)
