"""Why the console does not do what a person asked: one family of exceptions, with their facts and without words.

Of a refusal that the audit log keeps, the entry is written once, where it is raised (console.access.attempts). No view
catches one by name: console.web.views.refused turns each into a page by its class, console.web.refusals has the words.

To add one: a class here below the one whose page it shares, and its text in console.web.refusals. A test walks the
family in every language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from console.access.permissions import Permission
from console.knative.causes import Cause, Code, LabelLacks, Lacks
from console.knative.problems import Problem
from console.knative.references import ServiceRef


class Refusal(Exception):
    """What a person asked for is not done. `is_audited`: the audit log has its entry."""

    is_audited = False


# Who may not


class NotAllowed(Refusal):
    """The person lacks `permissions`: on the service `ref`, or where no single service is concerned."""

    def __init__(self, *permissions: str, ref: ServiceRef | None = None) -> None:
        super().__init__(", ".join(sorted(permissions)))
        self.permissions = frozenset(permissions)
        self.ref = ref

    @property
    def permission(self) -> Permission:
        """The one after which the page and the audit entry are named."""
        return Permission(min(self.permissions))

    @property
    def audit_text(self) -> str:
        """What its entry says beside that."""
        _, *more = sorted(self.permissions)
        return f"also lacks: {', '.join(more)}" if more else ""

    @property
    def cause(self) -> Cause:
        """Why an operation ends that was allowed when it was submitted."""
        return Cause(Code.NOT_ALLOWED, facts=Lacks(self.permission))


class LabelNotAllowed(NotAllowed):
    """The change sets or removes labels that decide who may do what, and the person may not decide that here."""

    def __init__(self, labels: Sequence[str], *permissions: str, ref: ServiceRef | None = None) -> None:
        super().__init__(*permissions, ref=ref)
        self.labels = ", ".join(labels)

    @property
    def problem(self) -> Problem:
        """What is wrong with the input, for the field in which it was typed."""
        return Problem("label-decides", {"labels": self.labels, "permissions": str(self)}, field="labels")

    @property
    def audit_text(self) -> str:
        return "; ".join(filter(None, [f"labels: {self.labels}", super().audit_text]))

    @property
    def cause(self) -> Cause:
        return Cause(Code.LABEL_DECIDES, facts=LabelLacks(self.labels, str(self)))


class NotRevealed(NotAllowed):
    """The person may not reveal the values of the service with the labels that it has in the cluster."""

    def __init__(self, ref: ServiceRef) -> None:
        super().__init__(Permission.REVEAL, ref=ref)


# What cannot be done to an operation, or not any more


class OfOperation(Refusal):
    """It cannot be done to this operation."""

    def __init__(self, operation: UUID) -> None:
        super().__init__(str(operation))
        self.operation = operation


class OwnChange(OfOperation):
    """People cannot decide on their own changes."""


class Separated(OfOperation):
    """A rule keeps the person from deciding: they may make such changes (`rights`), or made some (`acted`)."""

    def __init__(self, operation: UUID, place: str, why: str) -> None:
        super().__init__(operation)
        self.place, self.why = place, why


class NotNow(OfOperation):
    """The operation is not in a state in which this can be done."""


class TooLateToCancel(NotNow):
    """The change has been written."""


class NotRetriable(NotNow):
    """The operation has not ended, has succeeded, or would change nothing."""


class Undecryptable(NotNow):
    """What was typed for it is encrypted with a key that the console no longer has."""


class NotWaiting(NotNow):
    """The request for approval was decided or withdrawn, has expired, or is not what was shown."""


# What stops a change as it is


class Stopped(Refusal):
    """The change cannot be submitted as it is, and nothing was written."""


class Frozen(Stopped):
    """A freeze is in force on the service `ref` until then, on the clocks of its zone; `note` is what it says."""

    def __init__(self, ref: ServiceRef, until: str, note: str) -> None:
        super().__init__(str(ref))
        self.ref, self.until, self.note = ref, until, note


class ReasonNeeded(Stopped):
    """A rule or the emergency override requires a reason and none was given."""


class OwnedElsewhere(Stopped):
    """A rule locks the service `ref`, because `tool` owns it and would undo the change; `note` is what it says."""

    def __init__(self, ref: ServiceRef, tool: str, note: str) -> None:
        super().__init__(str(ref))
        self.ref, self.tool, self.note = ref, tool, note


class NotAcknowledged(Stopped):
    """A rule wants its author to acknowledge that `tool` will undo the change, and they have not."""

    def __init__(self, ref: ServiceRef, tool: str) -> None:
        super().__init__(str(ref))
        self.ref, self.tool = ref, tool


class Impossible(Stopped):
    """The change cannot be made of the service as it is now."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class PreviewGone(Refusal):
    """The previews were submitted already, are too old, or are somebody else's."""

    def __init__(self, *previews: object) -> None:
        self.previews = tuple(map(str, previews))
        super().__init__(", ".join(self.previews))


# Rules for people, teams, roles and grants


class RuleBroken(Refusal):
    """The change of access breaks a rule; nothing was written. `code` names the rule in the audit log."""

    code: ClassVar[str]

    def __str__(self) -> str:
        return self.code


@dataclass(eq=False)
class NameTaken(RuleBroken):
    """Another has the name, perhaps in other capitals."""

    code = "name-taken"
    name: str


@dataclass(eq=False)
class AlreadyMember(RuleBroken):
    """The person is in the team."""

    code = "already-member"
    name: str


@dataclass(eq=False)
class LastOwner(RuleBroken):
    """The team would keep no owner who stays."""

    code = "last-owner"
    name: str
    team: str


@dataclass(eq=False)
class LongerThanYours(RuleBroken):
    """An owner for a time lets nobody stay longer than that. `until` is UTC."""

    code = "longer-than-yours"
    until: str


@dataclass(eq=False)
class LastAdministrator(RuleBroken):
    """Nobody who can sign in would stay an administrator."""

    code = "last-administrator"
    name: str


@dataclass(eq=False)
class NoLink(RuleBroken):
    """The person has no password that a link could set."""

    code = "no-link"
    name: str


@dataclass(eq=False)
class MoreThanYouHave(RuleBroken):
    """Nobody grants, or takes back, what they do not hold."""

    code = "more-than-you-have"
    scope: str
    permissions: str


class GrantedAlready(RuleBroken):
    """The team has this very grant."""

    code = "granted-already"


class Gone(RuleBroken):
    """What was to be changed was deleted in the meantime."""

    code = "gone"


@dataclass(eq=False)
class GrantOfOthers(RuleBroken):
    """Deleting the team would take back a grant that the person could not have made."""

    code = "grant-of-others"
    grant: str
    permissions: str


@dataclass(eq=False)
class RoleBeyondYou(RuleBroken):
    """The role is granted where the person does not hold all of it."""

    code = "role-beyond-you"
    permissions: str


@dataclass(eq=False)
class RoleOfOthers(RuleBroken):
    """Somebody else made the role."""

    code = "role-of-others"
    name: str


@dataclass(eq=False)
class RoleBuiltIn(RuleBroken):
    """Every installation has the role under its name."""

    code = "role-built-in"
    name: str


@dataclass(eq=False)
class RoleInUse(RuleBroken):
    """Teams have the role."""

    code = "role-in-use"
    name: str
