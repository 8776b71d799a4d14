"""Recordings of real Knative control planes, step by step (tests/recordings, made by tests/real_cluster/record.py)."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.real_cluster.releases import OLDEST

RECORDINGS = Path(__file__).parent / "recordings"


def file_of(release: str) -> Path:
    """Return the recording of a release of releases.py, named by the version of its Go module."""
    return RECORDINGS / f"knative-serving-0.{int(release.partition('.')[2]) + 27}.jsonl"


@cache
def entries(release: str = OLDEST) -> tuple[dict[str, Any], ...]:
    lines = file_of(release).read_text().splitlines()
    return tuple(json.loads(line) for line in lines)


def step(name: str, release: str = OLDEST) -> tuple[dict[str, Any], ...]:
    """The entries of one step, by time."""
    found = tuple(sorted((entry for entry in entries(release) if entry["step"] == name), key=lambda entry: entry["t"]))
    assert found, f"no step {name!r} in the recording of {release}"
    return found


def response(name: str, release: str = OLDEST) -> tuple[int, dict[str, Any]]:
    """The status code and body that answered the step's request."""
    entry = next(entry for entry in step(name, release) if entry["kind"] == "RESPONSE")
    return entry["code"], entry["obj"]


def services(name: str, release: str = OLDEST) -> Iterator[tuple[float, dict[str, Any]]]:
    """(seconds, service) of each watch event of the step."""
    for entry in step(name, release):
        if entry["kind"] == "services":
            yield entry["t"], entry["obj"]
