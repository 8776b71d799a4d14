"""What is kept of a service over time: images, split, names of variables, scale, labels. As flat facts, so that two
moments are compared fact by fact.

A fact is a kind, a name and a text. Values of variables are never in one: the mirror's keyed digest replaces a value,
which tells only whether it is another one (console.knative.redaction.seal_env), and no page shows it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.knative.changes.template import AUTOSCALING
from console.knative.containers import Container
from console.knative.objects import Service
from console.knative.redaction import SEALED
from console.knative.traffic import TrafficTarget

LITERAL = "value"  # of a variable, before the digest


class Kind(StrEnum):
    """What a fact is about, in the order of pages."""

    IMAGE = "image"
    SERVING = "serving"  # percent by revision, as the cluster reports it
    SPLIT = "split"  # percent by target, as it was asked for
    SCALE = "scale"
    VARIABLE = "variable"
    VARIABLES_FROM = "env-from"
    LABEL = "label"


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """`name` is the container's and the variable's, a target, a label ...; `text` is what it was."""

    kind: Kind
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Portrait:
    """A service at a moment. `revision` is the one that was made of its template; empty while that is not known."""

    template: frozenset[Fact]
    routing: frozenset[Fact]
    revision: str = ""

    @property
    def facts(self) -> tuple[Fact, ...]:
        order = list(Kind)
        return tuple(sorted((*self.template, *self.routing), key=lambda one: (order.index(one.kind), one.name)))

    def serving_as(self, other: "Portrait | None") -> "Portrait":
        """Return it with what another one says of who served: an event of the watch has no status."""
        served = {one for one in (other.routing if other else ()) if one.kind is Kind.SERVING}
        kept = {one for one in self.routing if one.kind is not Kind.SERVING}
        return Portrait(self.template, frozenset(kept | served), self.revision)


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that differs between two moments; None: there was none."""

    kind: Kind
    name: str
    before: str | None
    after: str | None


def portrait(service: Service, key: str = "") -> Portrait:
    """Return what is kept of the service. Its values must be digests (seal_env); `key` tells with which key."""
    template = [fact for container in service.containers for fact in _of_container(container, key)]
    template += _scale(service)
    routing = _shares(Kind.SPLIT, ((one.name, one) for one in service.spec_traffic))
    routing += _shares(Kind.SERVING, ((one.revision or one.name, one) for one in service.status_traffic))
    routing += [Fact(Kind.LABEL, name, str(value)) for name, value in service.labels.items()]
    made = (service.latest_created_revision or "") if service.status and service.is_settled else ""
    return Portrait(frozenset(template), frozenset(routing), made)


def differences(before: Iterable[Fact], after: Iterable[Fact]) -> tuple[Difference, ...]:
    """Return what differs, in the order of pages."""
    was, becomes = ({(one.kind, one.name): one.text for one in side} for side in (before, after))
    order = list(Kind)
    keys = sorted({*was, *becomes}, key=lambda key: (order.index(key[0]), key[1]))
    found = (Difference(*key, was.get(key), becomes.get(key)) for key in keys)
    return tuple(one for one in found if not _is_same(one.before, one.after))


def shown(text: str | None) -> str | None:
    """Return the text of a fact as people may see it: without the digest of a value."""
    return LITERAL if text and text.startswith(f"{LITERAL} ") else text


def labels(facts: Iterable[Fact]) -> Mapping[str, str]:
    """Return the labels among the facts."""
    return {one.name: one.text for one in facts if one.kind is Kind.LABEL}


def _is_same(before: str | None, after: str | None) -> bool:
    """Whether the texts say the same; digests with two keys cannot be compared, and say nothing of a change."""
    if before == after:
        return True
    was, becomes = ((text or "").split(" ") for text in (before, after))
    keys = [parts[1].partition(":")[0] for parts in (was, becomes) if len(parts) > 1 and parts[0] == LITERAL]
    return len(set(keys)) == len(was) == len(becomes) == 2


def _of_container(container: Container, key: str) -> Iterator[Fact]:
    yield Fact(Kind.IMAGE, container.name, container.image)
    seen: dict[str, int] = {}
    for variable in container.env:
        number = seen[variable.name] = seen.get(variable.name, 0) + 1
        name = f"{container.name}/{variable.name}" + (f" ({number})" if number > 1 else "")
        yield Fact(Kind.VARIABLE, name, variable.source if variable.value is None else _literal(variable.value, key))
    for number, source in enumerate(container.env_from, 1):
        yield Fact(Kind.VARIABLES_FROM, f"{container.name}/{number}", source)


def _literal(value: str, key: str) -> str:
    """A value that is not a digest was not written by the mirror: nothing of it is kept."""
    return f"{LITERAL} {key}:{value.removeprefix(SEALED)}" if value.startswith(SEALED) else LITERAL


def _scale(service: Service) -> Iterator[Fact]:
    for name, value in service.template_annotations.items():
        if name.startswith(AUTOSCALING):
            yield Fact(Kind.SCALE, name.removeprefix(AUTOSCALING), str(value))
    if (limit := service.template_spec.get("containerConcurrency")) is not None:
        yield Fact(Kind.SCALE, "containerConcurrency", str(limit))


def _shares(kind: Kind, targets: Iterable[tuple[str, TrafficTarget]]) -> list[Fact]:
    """Percent by target and tag; one that is in the split twice has the sum."""
    found: dict[str, int] = {}
    for name, target in targets:
        tagged = f"{name} #{target.tag}" if target.tag else name
        found[tagged] = found.get(tagged, 0) + (target.percent or 0)
    return [Fact(kind, name, f"{percent}%") for name, percent in found.items()]


__all__ = ["Difference", "Fact", "Kind", "Portrait", "differences", "labels", "portrait", "shown"]
