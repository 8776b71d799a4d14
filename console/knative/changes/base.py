"""What every change is, and the edits that several of them make."""

import abc
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, ClassVar

from console.knative.diff import FieldChange, diff, differ
from console.knative.objects import Service
from console.knative.paths import REVISION_NAME, FieldPath
from console.knative.problems import Problem
from console.knative.redaction import MaskWithoutValue, put_back


class ChangeRefused(Exception):
    """The change cannot be applied to this service; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Verb(StrEnum):
    """What becomes of which object, as kn names its command: how a change is written, and what a preview asks."""

    CREATE = "service create"
    UPDATE = "service update"
    DELETE = "service delete"
    DELETE_REVISION = "revision delete"

    @property
    def object(self) -> str:
        return self.partition(" ")[0]

    @property
    def removes(self) -> bool:
        return self.endswith(" delete")


class Act(StrEnum):
    """What a person does with a change: the name of its last button (console.web.last_step)."""

    DEPLOY = "deploy"
    ROUTE = "route"
    ROLL_BACK = "roll-back"
    RESTART = "restart"
    CREATE = "create"
    DELETE = "delete"


class JudgedBy(Enum):
    """What tells which permissions a change needs (console.knative.effects)."""

    FIELDS = "fields"  # those that differ
    KIND = "kind"  # nothing of the object differs, or only what makes new pods
    NOTHING = "nothing"  # what runs stays, beside whatever else is changed


class Change(abc.ABC):
    """An edit of a service. What other modules must know of a kind of change is said on its class, for all of them."""

    __slots__ = ()
    verb: ClassVar[Verb] = Verb.UPDATE
    act: ClassVar[Act] = Act.DEPLOY
    judged_by: ClassVar[JudgedBy] = JudgedBy.FIELDS
    is_companion: ClassVar[bool] = False  # comes along with a change that a person asked for
    makes_pods: ClassVar[bool] = False  # and changes nothing else: a retry asks for it again
    comes_last: ClassVar[bool] = False  # of several: each edit of the template takes it away

    @property
    @abc.abstractmethod
    def permission(self) -> str:
        """The right that names the change in the audit log (console.access.permissions)."""

    @abc.abstractmethod
    def apply(self, service: Service) -> Service:
        """Return the service with the edit made, all else unchanged; raises ChangeRefused."""

    @abc.abstractmethod
    def touches(self) -> frozenset[FieldPath]:
        """Return the fields that the edit sets: what another person's edit may conflict with."""

    @property
    def parts(self) -> "tuple[Change, ...]":
        """The changes that it is made of: itself, for all but several at once."""
        return (self,)

    def leads_back_to(self, service: Service) -> dict[str, int]:
        """Return percent by revision that a roll back leads to; empty for other changes."""
        return {}

    def steps(self, service: Service) -> "Iterator[Step]":
        """Yield what each part makes of the service; raises ChangeRefused."""
        yield Step(self, service, self.apply(service))

    def object_name(self, service: Service) -> str:
        """Return the name of the object that `verb` is about."""
        return service.name

    @property
    def kept_digests(self) -> Mapping[str, str]:
        """The digests, by container, that new pods of the same template keep running."""
        return {}

    @property
    def withholds_traffic(self) -> bool:
        """It asks for a new revision that gets no traffic."""
        return False

    def typed_values(self) -> frozenset[str]:
        """Return the values of variables that its author gave."""
        return frozenset()


@dataclass(frozen=True)
class Step:
    """One part of a change, applied."""

    part: Change
    before: Service
    after: Service

    @cached_property
    def difference(self) -> tuple[FieldChange, ...]:
        return diff(self.before.raw, self.after.raw)


def edited(service: Service) -> dict[str, Any]:
    """Return a deep copy of the service's JSON, for editing."""
    return copy.deepcopy(dict(service.raw))


def edited_template(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a copy of the service and, inside it, its template, without the template's name.

    A template that keeps its name while it changes is refused by the webhook: "Saw the following changes without a
    name change" (recording: byo-name-reused).
    """
    raw = edited(service)
    template: dict[str, Any] = raw.setdefault("spec", {}).setdefault("template", {})
    (template.get("metadata") or {}).pop("name", None)
    return raw, template


def result(service: Service, raw: dict[str, Any]) -> Service:
    """Return the edited service; the present one where nothing differs, or nothing but the template's name.

    A named template that gets the value that it has already keeps its name: without, it would make a revision.
    Raises ChangeRefused as `unmasked` does.
    """
    edit = unmasked(raw, service)
    return edit if differ(service.raw, edit.raw, beside=REVISION_NAME) else service


def unmasked(raw: Mapping[str, Any], service: Service) -> Service:
    """Return the edited service with the texts that the editor showed masked as the service has them.

    Raises ChangeRefused for a mask where the service has nothing that is shown like that.
    """
    try:
        return Service(put_back(raw, service.raw))
    except MaskWithoutValue as error:
        raise ChangeRefused(Problem("manifest-masked-value", {"name": str(error)[:80]})) from error


def pod_spec(template: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = template.setdefault("spec", {})
    return spec


def find_container(template: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the container of that name; raises ChangeRefused when there is none."""
    for container in pod_spec(template).get("containers") or ():
        if container.get("name", "") == name:
            found: dict[str, Any] = container
            return found
    raise ChangeRefused(Problem("container-unknown", {"container": name}))


def template_metadata(template: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the template's annotations or labels, made when missing (the API sends `metadata: null` at times)."""
    if not isinstance(template.get("metadata"), dict):
        template["metadata"] = {}
    return entries(template["metadata"], kind)


def entries(metadata: dict[str, Any], kind: str) -> dict[str, Any]:
    if not isinstance(metadata.get(kind), dict):
        metadata[kind] = {}
    found: dict[str, Any] = metadata[kind]
    return found


def set_or_remove(target: dict[str, Any], key: str, value: Any) -> None:
    """Set the key; None removes it."""
    if value is None:
        target.pop(key, None)
    else:
        target[key] = value


def merge(target: dict[str, Any], wanted: Mapping[str, str | None]) -> None:
    for key, value in wanted.items():
        set_or_remove(target, key, value)
