"""A change of a service, with all that follows from it: worked out once for a preview and handed on."""

from dataclasses import dataclass
from functools import cached_property

from console.cluster.errors import ClusterError, Refused
from console.knative.changes import Change
from console.knative.diff import FieldChange
from console.knative.objects import Service
from console.knative.owners import Owner
from console.knative.traffic import TrafficTruth
from console.operations import patches
from console.operations.models import Preview
from console.operations.protection.gate import PolicyStatus
from console.operations.rights.needs import Needs
from console.operations.submitting.dry_run import Untested


@dataclass(frozen=True)
class Proposal:
    """Everything a person should know before pressing the button.

    `after` is what the cluster's dry run answers, defaults and what webhooks fill in included; where there was none
    (`untested`) or it refuses (`refusal`), it is what the console would send.
    """

    preview: Preview
    change: Change
    before: Service
    after: Service
    difference: tuple[FieldChange, ...]
    needs: Needs
    policy_status: PolicyStatus  # what stops it: protection rules and freezes
    makes_revision: bool
    truth: TrafficTruth  # what the new revision will get
    refusal: ClusterError | None  # what the cluster's dry run says against it
    untested: Untested | None
    pods: Refused | None  # what it says to a pod of the template; the change can be made nevertheless
    changed_meanwhile: bool  # the service is not the one that the form showed
    kn_adds_revision: bool  # the kn command makes a revision, though the change itself makes none

    @cached_property
    def patch(self) -> str:
        """The change as a merge patch in YAML, values of variables masked."""
        return patches.as_yaml(self.before.raw, self.after.raw) if self.difference else ""

    @property
    def owners(self) -> tuple[Owner, ...]:
        """The tools that write the service from elsewhere, and will undo this change or a part of it."""
        return self.before.owners

    @property
    def is_new(self) -> bool:
        return not self.before.raw

    @property
    def is_possible(self) -> bool:
        return self.refusal is None and not self.is_empty

    @property
    def is_empty(self) -> bool:
        return not self.difference
