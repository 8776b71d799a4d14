"""What a change does, as rights and rules name it: judged by the fields that differ, whichever way the change came in.

A form, an annotation of that form's page, a manifest: who scales a service by one of them scales it. The names are
those of console.access.permissions, which this layer does not know.
"""

from collections.abc import Iterable

from console.knative import paths
from console.knative.changes import Applied, JudgedBy, Verb, permissions
from console.knative.changes.base import Step
from console.knative.changes.template import AUTOSCALING
from console.knative.diff import FieldChange, diff
from console.knative.objects import Service
from console.knative.paths import FieldPath
from console.knative.redaction import MASK

DEPLOY, TRAFFIC, OPERATE = "deploy", "traffic", "operate"

# The fields whose effect has a permission of its own; that of every other field is `deploy`. A name that ends with "*"
# is the beginning of a key.
# Sources: serving pkg/apis/serving/register.go and pkg/apis/autoscaling/register.go, networking pkg/apis/networking.
EFFECTS: tuple[tuple[FieldPath, str], ...] = (
    (paths.TRAFFIC, TRAFFIC),
    # Visibility, ingress and certificate class, TLS, HTTP redirect: who reaches the service, and how.
    (("metadata", "labels", "networking.knative.dev/*"), TRAFFIC),
    (("metadata", "annotations", "networking.knative.dev/*"), TRAFFIC),
    # Over how long a new revision takes the requests over; and the older spelling that Knative still reads.
    (("metadata", "annotations", "serving.knative.dev/rollout-duration"), TRAFFIC),
    (("metadata", "annotations", "serving.knative.dev/rolloutDuration"), TRAFFIC),
    # In every spelling that Knative reads, old ones and the class of the autoscaler included.
    ((*paths.TEMPLATE_ANNOTATIONS, f"{AUTOSCALING}*"), OPERATE),
    (("metadata", "annotations", f"{AUTOSCALING}*"), OPERATE),
    ((*paths.POD_SPEC, "containerConcurrency"), OPERATE),
)


def effects(applied: Applied, reverted: frozenset[FieldChange] = frozenset()) -> frozenset[str]:
    """Return the permissions that what the change does to the service needs; at least one.

    `reverted` are the differences that the cluster takes back (see `taken_back`): they have no effect. Where nothing
    differs, or the change is refused, the permissions of its kind are needed.
    """
    found = frozenset[str]().union(*(_of_step(step, reverted) for step in applied.steps))
    return found or permissions(applied.change)


def taken_back(sent: Iterable[FieldChange], answered: Iterable[FieldChange]) -> frozenset[FieldChange]:
    """Return the differences of what is sent that the cluster's own answer to it does not have.

    A manifest that leaves out what the cluster fills in again changes nothing there. Differences of what is masked, as
    a whole or in part, cannot be distinguished by their text, so they all count.
    """
    remaining = frozenset(row.path for row in answered)
    return frozenset(row for row in sent if row.path not in remaining and not _is_masked(row))


def of_rows(rows: Iterable[FieldChange]) -> frozenset[str]:
    """Return the permissions that these differences need.

    Every edit of the template removes its name, so this alone does not count beside another effect of the template.
    """
    rows = tuple(rows)
    needed: dict[FieldPath, frozenset[str]] = {row.path: of_field(row.path) for row in rows if not _is_unnaming(row)}
    found = frozenset[str]().union(*needed.values())
    edits_template = any(path[:2] == paths.TEMPLATE for path in needed)
    is_unnamed_alone = not edits_template and any(_is_unnaming(row) for row in rows)
    return found | ({DEPLOY} if is_unnamed_alone else frozenset())


def of_field(path: FieldPath) -> frozenset[str]:
    """Return the permissions that a difference at the path needs: several where it holds what needs several."""
    within = frozenset(permission for place, permission in EFFECTS if _holds(place, path))
    if within:
        return within
    beneath = frozenset(permission for place, permission in EFFECTS if _reaches(path, place))
    return beneath | {DEPLOY}


def _of_step(step: Step, taken_back: frozenset[FieldChange]) -> frozenset[str]:
    part = step.part
    if part.judged_by is JudgedBy.NOTHING:
        return frozenset()
    if part.judged_by is JudgedBy.KIND:
        return frozenset({part.permission})
    if part.verb is Verb.CREATE:
        return frozenset({DEPLOY}) | of_rows(_said(step.after))
    return of_rows(row for row in step.difference if row not in taken_back)


def _said(made: Service) -> list[FieldChange]:
    """What the manifest of a new service says, but for what is so for every new service that says nothing of it."""
    unsaid = {(*paths.POD_SPEC, "containerConcurrency"): made.template_spec.get("containerConcurrency") == 0}
    unsaid[paths.TRAFFIC] = made.spec_traffic == Service({}).spec_traffic
    return [row for row in diff({}, made.raw) if not unsaid.get(row.path)]


def _is_masked(row: FieldChange) -> bool:
    return row.secret or MASK in (row.before or "") or MASK in (row.after or "")


def _is_unnaming(row: FieldChange) -> bool:
    return row.path == paths.REVISION_NAME and row.after is None


def _holds(place: FieldPath, path: FieldPath) -> bool:
    """Whether the path is the place, or lies within it."""
    return len(path) >= len(place) and all(_matches(*pair) for pair in zip(place, path, strict=False))


def _reaches(path: FieldPath, place: FieldPath) -> bool:
    """Whether the place lies within the path: a difference that is told as a whole."""
    return len(path) < len(place) and place[: len(path)] == path


def _matches(name: str, key: str) -> bool:
    return key.startswith(name[:-1]) if name.endswith("*") else key == name


__all__ = ["DEPLOY", "EFFECTS", "OPERATE", "TRAFFIC", "effects", "of_field", "of_rows", "taken_back"]
