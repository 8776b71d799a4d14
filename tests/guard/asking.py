"""One person in front of one service: opens a form, sends it as a browser would, and sees what would be written."""

from __future__ import annotations

import copy
import html
import re
from dataclasses import dataclass
from typing import Any

from console.operations.submitting.dry_run import POD_DRY_RUN
from tests.support.browser import Control, Form, change_forms, forms_of
from tests.support.echo_cluster import EchoCluster
from tests.support.manifests import Object

NOTHING = re.compile(r"Nothing (would|was|will be|has) ?(change|changed)", re.IGNORECASE)
# What the console writes to know its own writes; no form speaks of it.
_OURS = ("sluice.dev/operation", "sluice.dev/changed-by", "sluice.dev/changed-generation")
_MAY_BE_EMPTY = ("labels", "annotations", "metadata", "resources", "requests", "limits")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the page, and the service as it would be written (None: nothing would be)."""

    status: int
    page: str
    written: Object | None

    @property
    def says_nothing_changes(self) -> bool:
        return self.status == 422 and bool(NOTHING.search(self.page))

    @property
    def complaints(self) -> list[str]:
        """What the page says is wrong with what was sent."""
        found = re.findall(r'(?s)<(\w+) class="(?:problem|note note-error)"([^>]*)>(.*?)</\1>', self.page)
        shown = [text for _tag, attributes, text in found if not re.search(r"\shidden\b", attributes)]
        texts = [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split()) for text in shown]
        return [text for text in texts if not NOTHING.search(text)]


class Person:
    """An administrator with Django's test client."""

    def __init__(self, client: Any, cluster: EchoCluster, raw: Object) -> None:
        self.client, self.cluster, self.raw = client, cluster, raw
        self.name = raw["metadata"]["name"]

    def path(self, page: str, container: str = "") -> str:
        return f"/services/box/default/{self.name}/{page}/" + (f"?container={container}" if container else "")

    def open(self, page: str, container: str = "", number: int = 0) -> Form:
        """The form of that page that changes the service; `number` where there are several."""
        return self.open_at(self.path(page, container), number)

    def open_at(self, path: str, number: int = 0) -> Form:
        response = self.client.get(path)
        assert response.status_code == 200, f"{path} answers {response.status_code}"
        return self._form_in(response.content.decode(), path, number)

    @staticmethod
    def _form_in(markup: str, path: str, number: int = 0) -> Form:
        here = path.partition("?")[0]
        found = list(change_forms(markup)) or [
            form for form in forms_of(markup) if form.method == "post" and form.action.partition("?")[0] in ("", here)
        ]
        form = found[number]
        form.action = form.action or path
        return form

    def form_of(self, answer: Answer, form: Form) -> Form:
        """The form on the page that came back."""
        return self._form_in(answer.page, form.action)

    def press(self, form: Form, name: str, value: str) -> Form:
        """Press a button that does not send the change, and take the form of the page that comes back."""
        return self._pressed(form, form.button(name, value))

    def reveal(self, form: Form) -> Form:
        """Press the button that shows the values: the one with an address of its own."""
        return self._pressed(form, next(control for control in form.controls if control.action.endswith("/reveal/")))

    def _pressed(self, form: Form, button: Control) -> Form:
        where = button.action or form.action
        body = form.encoded(button)
        response = self.client.post(where, body, content_type="application/x-www-form-urlencoded", follow=True)
        return self._form_in(response.content.decode(), form.action)

    def send(self, form: Form, *, newline: str = "\r\n") -> Answer:
        self.cluster.sent.clear()
        body = form.encoded(newline=newline)
        response = self.client.post(form.action, body, content_type="application/x-www-form-urlencoded", follow=True)
        writes = [sent for sent in self.cluster.sent if sent.method in ("PUT", "POST")]
        assert all(sent.is_dry_run for sent in writes), "a preview wrote something"
        return Answer(
            response.status_code, response.content.decode(), self._as_written(writes[-1].body) if writes else None
        )

    def _as_written(self, asked: Object) -> Object:
        """What a dry run was asked for, without the annotation that only a dry run has: no write does."""
        if POD_DRY_RUN not in (self.raw["metadata"].get("annotations") or {}):
            asked = copy.deepcopy(asked)
            asked["metadata"].get("annotations", {}).pop(POD_DRY_RUN, None)
        return asked


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Every place where two JSON values differ, one line each; stricter than what the console shows."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = dict.fromkeys([*before, *after])
        return [row for key in keys for row in differences(before.get(key, _ABSENT), after.get(key, _ABSENT),
                                                           f"{path}.{key}")]  # fmt: skip
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            row
            for index, pair in enumerate(zip(before, after, strict=True))
            for row in differences(*pair, f"{path}[{index}]")
        ]
    same = before == after and isinstance(before, bool) == isinstance(after, bool)  # JSON has one type of number
    return [] if same else [f"{path}: {before!r:.120} -> {after!r:.120}"]


class _Absent:
    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()


def plain(raw: Object) -> Object:
    """The object without what no form speaks of: the status, the console's own marks, empty maps that mean nothing."""
    found: Object = copy.deepcopy(raw)
    found.pop("status", None)
    for name in _OURS:
        found.get("metadata", {}).get("annotations", {}).pop(name, None)
    secrets = found.get("spec", {}).get("template", {}).get("spec", {}).get("imagePullSecrets")
    if secrets:
        secrets.sort(key=lambda entry: str(entry.get("name", "")))  # a set: the kubelet tries them all
    return _without_empty(found)


def _without_empty(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_empty(inner) for key, inner in value.items()}
    return {key: inner for key, inner in kept.items() if not (key in _MAY_BE_EMPTY and inner in ({}, None))}
