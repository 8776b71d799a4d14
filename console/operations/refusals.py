"""Why a change is not made now, or not by this person. An attempt that was not allowed is audited."""

from console import audit
from console.access.actors import Actor
from console.audit import Outcome
from console.knative.causes import Cause, Code, LabelLacks, Lacks
from console.knative.problems import Problem
from console.knative.references import ServiceRef


class NotNow(Exception):
    """The operation is not in a state in which this can be done."""


class NotAllowed(Exception):
    """The person may not make this change; `permissions` are those that are missing."""

    def __init__(self, permissions: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(permissions)))
        self.permissions = permissions

    @property
    def cause(self) -> Cause:
        """Why an operation ends that was allowed when it was submitted."""
        return Cause(Code.NOT_ALLOWED, facts=Lacks(min(self.permissions)))


class LabelNotAllowed(NotAllowed):
    """The change sets or removes labels that decide who may do what, and the person may not decide that here."""

    def __init__(self, labels: tuple[str, ...], permissions: frozenset[str]) -> None:
        super().__init__(permissions)
        facts = {"labels": ", ".join(labels), "permissions": ", ".join(sorted(permissions))}
        self.problem = Problem("label-decides", facts, field="labels")
        self._cause = Cause(Code.LABEL_DECIDES, facts=LabelLacks(**facts))

    @property
    def cause(self) -> Cause:
        return self._cause


def audit_refusal(refusal: NotAllowed, ref: ServiceRef, actor: Actor) -> None:
    """Leave one entry of an attempt that was not allowed, named after the first of the permissions that it lacked."""
    first, *more = sorted(refusal.permissions)
    text = f"also lacks: {', '.join(more)}" if more else ""
    if isinstance(refusal, LabelNotAllowed):
        text = "; ".join(filter(None, [f"labels: {refusal.problem.facts['labels']}", text]))
    audit.record(f"{first}.refused", actor=actor, ref=ref, outcome=Outcome.REFUSED, text=text)
