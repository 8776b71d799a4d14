"""`python -m tests.real_cluster.record [RELEASE]`: record what a real Knative does, step by step.

The steps are those of tests.recorded_steps. Writes tests/recordings/knative-serving-<version>.jsonl: a line for each
answer and for each event of a watch, with its step and the seconds since the request. Without pods, as the contract
suite runs it.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import urllib3

from tests.contract.client import REVIEWS, Answer, Client, Namespace, Object, put
from tests.real_cluster.control_plane import control_plane
from tests.real_cluster.releases import NEWEST
from tests.recorded_steps import REFUSED, REFUSED_WITH_OWN_NAME, STEPS
from tests.recording import file_of
from tests.waiting import eventually

KINDS = ("services", "configurations", "routes", "revisions")
QUIET_SECONDS = 2.0
WATCH_SECONDS = 3600
RESOLVER = re.compile(r"(lookup registry\.invalid) on [0-9.:]+")


class Recording:
    """The lines so far. `ask` takes a step: its answer, and what the watches tell until nothing more comes."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.lines: list[Object] = []
        self._step, self._began, self._last = "", 0.0, 0.0
        for plural in KINDS:
            threading.Thread(target=self._follow, args=(plural,), daemon=True).start()

    def ask(self, step: str, request: Callable[[], Answer]) -> None:
        self._step, self._began = step, time.monotonic()
        self._last = self._began
        answer = request()
        self.lines.append({"step": step, "t": 0, "kind": "RESPONSE", "code": answer.code, "obj": plain(answer.body)})
        eventually(lambda: time.monotonic() - self._last > QUIET_SECONDS, timeout=60)
        print(f"{step}: {answer.code}", flush=True)

    def update(self, step: str, change: Callable[[Object], None], query: str = "") -> None:
        self.ask(step, lambda: self.namespace.update(change, query=query))

    def _follow(self, plural: str) -> None:
        path = f"{self.namespace.path(plural)}?watch=true&timeoutSeconds={WATCH_SECONDS}"
        try:
            with self.namespace.api.watch(path) as events:
                for event in events:
                    self._take(plural, event)
        except urllib3.exceptions.HTTPError:
            return  # the end of the control plane ends its watches

    def _take(self, plural: str, event: Object) -> None:
        self._last = time.monotonic()
        seconds = round(self._last - self._began, 3)
        line = {"step": self._step, "t": seconds, "kind": plural, "ev": event["type"], "obj": plain(event["object"])}
        self.lines.append(line)


def plain(obj: Any) -> Any:
    """Without managedFields, which double every object, and without the address of this machine's resolver."""
    obj = json.loads(RESOLVER.sub(r"\1", json.dumps(obj)))
    obj.get("metadata", {}).pop("managedFields", None)
    return obj


def record(api: Client) -> list[Object]:
    """Take every step and return the lines."""
    greet = Namespace(api, "default")
    eventually(lambda: not any(greet.names(plural) for plural in KINDS), message="left of the start")
    path, services = greet.path("services", "greet"), greet.path("services")
    recording = Recording(greet)
    recording.ask("create", greet.create)
    *steps, own_name = STEPS
    for step in steps:
        recording.update(step, STEPS[step])
    for step, change in REFUSED.items():
        if step != "create-no-container":
            recording.update(step, change)
    nothing = put("spec", "template", "spec", value={"containers": []})
    recording.ask("create-no-container", lambda: greet.create("empty", nothing))
    recording.update(own_name, STEPS[own_name])
    for step, change in REFUSED_WITH_OWN_NAME.items():
        recording.update(step, change, "?dryRun=All" if step == "dry-run" else "")
    stale = greet.get()
    stale["metadata"]["resourceVersion"] = "1"
    recording.ask("conflict", lambda: api.put(path, stale))
    recording.update("unknown-field", put("spec", "bogus", value=1), "?fieldValidation=Strict")
    recording.ask("create-exists", greet.create)
    recording.ask("create-bad-name", lambda: greet.create("Greet_X"))
    recording.ask("create-name-too-long", lambda: greet.create("x" * 64))
    recording.ask("get-missing", lambda: api.get(greet.path("services", "nope")))
    recording.ask("delete-revision-unrouted", lambda: api.delete(greet.path("revisions", "greet-00002")))
    immutable = put("spec", "containerConcurrency", value=7)
    recording.ask("revision-spec-immutable", lambda: greet.update(immutable, name="greet-00001", plural="revisions"))
    attributes = {"namespace": "default", "verb": "patch", "group": "serving.knative.dev", "resource": "services"}
    review = {
        "apiVersion": REVIEWS.removeprefix("/apis/"),
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    recording.ask("ssar", lambda: api.post(f"{REVIEWS}/selfsubjectaccessreviews", review))
    recording.ask("delete", lambda: api.delete(path))
    recording.ask("forbidden", lambda: api.with_token("token-of-viewer").get(services))
    recording.ask("unauthorized", lambda: api.with_token("wrong").get(services))
    return recording.lines


def main(release: str = NEWEST) -> None:
    with control_plane(release) as box:
        lines = record(Client(box.url, box.token, box.ca))
    file = file_of(release)
    file.write_text("".join(json.dumps(line, separators=(",", ":"), sort_keys=False) + "\n" for line in lines))
    print(f"{len(lines)} lines in {file}")


if __name__ == "__main__":
    main(*sys.argv[1:])
