"""What a cluster's API said of its services, and when: to hold the console's claims against it."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import defaultdict
from datetime import datetime

from console.knative.objects import OPERATION, Service
from console.knative.progress import READY_TO_SERVE
from console.operations.models import Operation
from console.operations.models.statuses import Status
from tests.sandbox_process import Sandbox

WINDOW = 10.0  # seconds around a claim: a read, a lock of the database, the write; and this recorder may be behind
LINE_WINDOW = 4.0  # a line that waited for its worker is dated by the cluster's clock, in whole seconds
SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"
UNWRITTEN = (Status.CANCELLED, Status.CONFLICTED, Status.REFUSED, Status.STOPPED)
GONE = ("deleted-meanwhile", "recreated-meanwhile")


class History(threading.Thread):
    """Records every state of every service, with the time; `find` says which were true around a moment."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__(daemon=True)
        self._box = box
        self._states: dict[str, list[tuple[float, Service | None]]] = defaultdict(list)

    def run(self) -> None:
        query = "?watch=true&timeoutSeconds=3600"
        request = urllib.request.Request(
            self._box.url + SERVICES + query, headers={"Authorization": f"Bearer {self._box.token}"}
        )
        with urllib.request.urlopen(request, timeout=3600) as lines:
            for line in lines:
                event = json.loads(line)
                if event["type"] != "BOOKMARK":
                    state = None if event["type"] == "DELETED" else Service(event["object"])
                    self._states[event["object"]["metadata"]["name"]].append((time.time(), state))

    def find(self, name: str, begin: float, end: float) -> list[Service | None]:
        """Return the states of the service that were true at some time between the two."""
        before = [state for at, state in self._states[name] if at <= begin][-1:] or [None]
        return [*before, *(state for at, state in self._states[name] if begin < at <= end)]

    def claimed(self, operation: Operation) -> list[Service | None]:
        """Return the states on which the operation's end may rest: what it read last, unless that was long past.

        An end without a reading of its own rests on any state around it.
        """
        assert operation.finished_at is not None
        at = operation.finished_at.timestamp()
        states = self.find(operation.name, at - WINDOW, at + WINDOW)
        if not operation.is_written or operation.status == Status.UNCHANGED or operation.cause.get("code") in GONE:
            return states
        return [state for state in states if state is not None and state.resource_version == operation.watch_from]

    def has_sign_of(self, operation: Operation) -> bool:
        """Whether the service ever carried the operation's annotation."""
        return any(
            state is not None and state.annotations.get(OPERATION) == str(operation.id)
            for _, state in self._states[operation.name]
        )

    def contradictions(self, operation: Operation) -> list[str]:
        """Return what the operation claims and the API did not say at that time; empty when all is so."""
        states = self.claimed(operation)
        wrong = [] if any(_fits(operation, state) for state in states) else [_told(operation, states)]
        if operation.status in UNWRITTEN and not operation.is_written and self.has_sign_of(operation):
            wrong.append(f"{operation.status}, and it was written")
        return wrong + self._wrong_lines(operation)

    def _wrong_lines(self, operation: Operation) -> list[str]:
        wrong = []
        for line in operation.lines.filter(level="progress"):
            at = _moment(operation.submitted_at, line.elapsed)
            states = self.find(operation.name, at - LINE_WINDOW, at + LINE_WINDOW)
            if not any(state is not None and _says(state, line.text) for state in states):
                wrong.append(f"{line} was not so then")
        return wrong


def _moment(submitted_at: datetime, elapsed: float) -> float:
    return submitted_at.timestamp() + elapsed


def _says(state: Service, text: str) -> bool:
    return state.ready.is_true if text == READY_TO_SERVE else state.ready.message == text


def _fits(operation: Operation, state: Service | None) -> bool:
    """Whether the API's state is what the operation's end claims."""
    code = operation.cause.get("code", "")
    if code in GONE:
        return state is None or state.uid != operation.uid
    if operation.status in UNWRITTEN:
        return True
    if state is None or state.uid != operation.uid:
        return False
    if operation.status == Status.SUPERSEDED:
        return state.generation > (operation.generation or 0)
    if state.generation != operation.generation and operation.status != Status.UNCHANGED:
        return False
    if operation.status == Status.FAILED:
        return state.is_settled and state.ready.is_false
    if operation.status in (Status.SUCCEEDED, Status.NOT_SERVING):
        return state.is_settled and (state.ready.is_true or code == "not-ready") and _serves(operation, state)
    return operation.status == Status.UNCHANGED


def _serves(operation: Operation, state: Service) -> bool:
    """The new revision has traffic exactly where a success says so."""
    if not operation.makes_revision:
        return True
    percent = sum(each.percent or 0 for each in state.status_traffic if each.revision == operation.revision)
    is_newest = state.latest_ready_revision == operation.revision
    return is_newest and bool(percent) == (operation.status == Status.SUCCEEDED)


def _told(operation: Operation, states: list[Service | None]) -> str:
    seen = [
        "gone"
        if state is None
        else f"generation {state.generation} seen {state.observed_generation} Ready {state.ready.status}"
        for state in states
    ]
    claim = f"{operation.status} {operation.cause.get('code', '')} generation {operation.generation}"
    return f"{claim}, and the API said {seen}"
