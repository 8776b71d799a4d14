"""The verdicts of Serving's own webhook on all cases, as `python -m tests.real_cluster.webhook` has recorded them."""

from __future__ import annotations

import json
from pathlib import Path

RECORD = Path(__file__).with_name("verdicts.json")
_OF_THE_WEBHOOK = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: '


def recorded() -> dict[str, dict[str, str]]:
    """By release and case."""
    read = json.loads(RECORD.read_text())
    newest: dict[str, str] = {name: line.replace("@", _OF_THE_WEBHOOK, 1) for name, line in read["1.23"].items()}
    older = {name: line.replace("@", _OF_THE_WEBHOOK, 1) for name, line in read["1.15, where it differs"].items()}
    return {"1.23": newest, "1.15": newest | older}


def write(verdicts: dict[str, dict[str, str]]) -> None:
    """Record them, the longest prefix shortened and of the older release only what differs."""
    newest, older = verdicts["1.23"], verdicts["1.15"]
    differing = {name: line for name, line in older.items() if line != newest[name]}
    short = {"1.23": _short(newest), "1.15, where it differs": _short(differing)}
    RECORD.write_text(json.dumps(short, indent=0, ensure_ascii=False) + "\n")


def _short(verdicts: dict[str, str]) -> dict[str, str]:
    assert not any("@" in line.partition(":")[0] for line in verdicts.values())
    return {name: line.replace(_OF_THE_WEBHOOK, "@", 1) for name, line in verdicts.items()}
