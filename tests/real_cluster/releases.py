"""The releases of Knative Serving that the console is tried on, each compiled from the Go module serving/<release>.

KNATIVE=1.15 (or 1.15,1.23) chooses among them; a suite says what it runs without that.
"""

from __future__ import annotations

import os

# From the oldest to the newest, as the label app.kubernetes.io/version of an installation names them.
# Version 0.N of the Go module is release 1.(N-27).
RELEASES = {"1.15": "1.15.2", "1.23": "1.23.0"}
OLDEST, NEWEST = min(RELEASES), max(RELEASES)  # of the same length, so that texts compare as numbers


def numbers(release: str) -> tuple[int, ...]:
    """The release to compare: `numbers(release) >= (1, 21)`."""
    return tuple(map(int, release.split(".")))


def chosen(*otherwise: str) -> tuple[str, ...]:
    """Return the releases of $KNATIVE, or `otherwise` without it; raises ValueError for one that is not compiled."""
    found = tuple(filter(None, os.environ.get("KNATIVE", "").split(","))) or otherwise
    if unknown := set(found) - RELEASES.keys():
        raise ValueError(f"KNATIVE: {', '.join(sorted(unknown))} is not one of {', '.join(RELEASES)}")
    return found
