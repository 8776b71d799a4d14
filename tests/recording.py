"""The recording of a real Knative Serving 0.42 control plane, step by step (tests/recordings)."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent / "recordings"


@cache
def entries() -> tuple[dict[str, Any], ...]:
    lines = (RECORDINGS / "knative-serving-0.42.jsonl").read_text().splitlines()
    return tuple(json.loads(line) for line in lines)


def step(name: str) -> tuple[dict[str, Any], ...]:
    """The entries of one step, by time."""
    found = tuple(sorted((entry for entry in entries() if entry["step"] == name), key=lambda entry: entry["t"]))
    assert found, f"no step {name!r} in the recording"
    return found


def response(name: str) -> tuple[int, dict[str, Any]]:
    """The status code and body that answered the step's request."""
    entry = next(entry for entry in step(name) if entry["kind"] == "RESPONSE")
    return entry["code"], entry["obj"]


def services(name: str) -> Iterator[tuple[float, dict[str, Any]]]:
    """(seconds, service) of each watch event of the step."""
    for entry in step(name):
        if entry["kind"] == "services":
            yield entry["t"], entry["obj"]
