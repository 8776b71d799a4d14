"""Answers without pods: what the revision's program would say, for a control plane without a node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.real_cluster.http_front import Answer, Request
from tests.real_cluster.ingress import Split
from tests.real_cluster.kubelet.sample import greeting

if TYPE_CHECKING:
    from tests.real_cluster.control_plane import ControlPlane

REVISIONS = "/apis/serving.knative.dev/v1/namespaces/{}/revisions/{}"


class Answering:
    """The backend of an ingress that answers as the samples helloworld-go and helloworld-rust with their TARGET."""

    def __init__(self, box: ControlPlane) -> None:
        self._box = box

    def __call__(self, split: Split, request: Request) -> Answer:
        found = self._box.ask("GET", REVISIONS.format(split.namespace, split.revision))
        if found.status != 200:
            return Answer(503, b"no healthy upstream\n")
        container = json.loads(found.data)["spec"]["containers"][0]
        target = next((one.get("value", "") for one in container.get("env") or [] if one["name"] == "TARGET"), "World")
        return Answer(200, greeting(container["image"], target).encode())
