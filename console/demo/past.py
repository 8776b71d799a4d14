"""What a service of the sandbox was like before a change of the script, worked out from what it is now."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.demo.script import LATEST, Split
from console.knative import traffic
from console.knative.changes import Change, Combined, CreateService, EnvEntry, SetEnv, SetImage, SplitTraffic
from console.knative.objects import Revision, Service
from console.knative.traffic import TrafficTarget

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """A service as it is now with its revisions, and how far the script has come: the newest revision, the split."""

    now: Service
    revisions: Mapping[int, Revision]
    newest: int  # the number of its newest revision so far; 0: there is no service yet
    generation: int
    split: Split = LATEST

    @property
    def ready(self) -> str:
        """The newest revision that became ready."""
        found = [name for number, one in self.revisions.items() if number <= self.newest for name in _if_ready(one)]
        return found[-1] if found else ""

    @property
    def service(self) -> Service:
        """The service at that time, as the cluster would have answered."""
        if not self.newest:
            return Service({})
        raw = copy.deepcopy(dict(self.now.raw))
        raw["metadata"] |= {"generation": self.generation, "resourceVersion": "1"}
        raw["spec"] = {"template": self._template(), "traffic": [one.to_spec() for one in self.targets(self.split)]}
        served = traffic.as_served(self.targets(self.split), self.ready) if self.ready else ()
        raw["status"] |= {
            "observedGeneration": self.generation,
            "latestReadyRevisionName": self.ready,
            "latestCreatedRevisionName": self.revisions[self.newest].name,
            "traffic": [{"revisionName": name, "percent": percent} for name, percent in traffic.shares(served).items()],
        }
        return Service(raw)

    def targets(self, split: Split) -> tuple[TrafficTarget, ...]:
        """Return the split with the revisions' names."""
        return tuple(self._target(*entry) for entry in split)

    def deployed(self, revision: int) -> "Past":
        return replace(self, newest=revision, generation=self.generation + 1)

    def routed(self, split: Split) -> "Past":
        return replace(self, split=split, generation=self.generation + 1)

    def change_to(self, revision: int) -> Change:
        """Return the change that made the next revision: images and variables of the containers that differ."""
        after = self.deployed(revision).service
        if not self.newest:
            return CreateService(_as_created(after))
        pairs = zip(self.service.containers, after.containers, strict=True)
        parts = [part for before, now in pairs for part in _changes(before.name, before, now)]
        return parts[0] if len(parts) == 1 else Combined(tuple(parts))

    def change_of(self, split: Split) -> SplitTraffic:
        return SplitTraffic(self.targets(split))

    def _target(self, number: str, percent: int, tag: str) -> TrafficTarget:
        if number == traffic.LATEST:
            return TrafficTarget(None, percent, tag or None, follows_latest=True)
        return TrafficTarget(self.revisions[int(number)].name, percent, tag or None)

    def _template(self) -> Object:
        """The template of now with the images and variables of the newest revision so far."""
        template: Object = copy.deepcopy(self.now.raw["spec"]["template"])
        then = self.revisions[self.newest].spec["containers"]
        for container, was in zip(template["spec"]["containers"], then, strict=True):
            container["image"] = was["image"]
            container.pop("env", None)
            if was.get("env"):
                container["env"] = copy.deepcopy(was["env"])
        return template


def _if_ready(revision: Revision) -> tuple[str, ...]:
    return (revision.name,) if revision.ready.is_true else ()


def _as_created(service: Service) -> Object:
    """The manifest that a person would have sent: what the cluster's defaults filled in is not in it."""
    metadata = {key: service.metadata[key] for key in ("name", "namespace", "labels") if service.metadata.get(key)}
    containers = service.raw["spec"]["template"]["spec"]["containers"]
    sent = [{key: one[key] for key in ("name", "image", "env") if key in one} for one in containers]
    identity = {"apiVersion": service.raw["apiVersion"], "kind": service.raw["kind"]}
    return {**identity, "metadata": metadata, "spec": {"template": {"spec": {"containers": sent}}}}


def _changes(name: str, before: Any, after: Any) -> list[Change]:
    found: list[Change] = []
    if before.image != after.image:
        found.append(SetImage(name, after.image))
    was, now = ({one.name: one.value or "" for one in side.env} for side in (before, after))
    set_ = tuple(EnvEntry(key, value) for key, value in now.items() if was.get(key) != value)
    removed = tuple(key for key in was if key not in now)
    if set_ or removed:
        found.append(SetEnv(name, set_, removed))
    return found
