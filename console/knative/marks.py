"""Labels and annotations that people do not write: stamps of machines by name, and the marks of deployment tools.

Machines and people share prefixes: `serving.knative.dev/creator` is a stamp, `serving.knative.dev/rollout-duration` a
setting. So each stamp is named. A deployment tool's own domain holds nothing but what ties an object to that tool.
"""

from collections.abc import Mapping

from console.knative.authors import CHANGED_BY, CHANGED_GENERATION
from console.knative.objects import CREATOR, LAST_MODIFIER, OPERATION, UPDATE_TIMESTAMP, USER_IMAGE
from console.knative.owners import MANAGED_BY, tool_of
from console.knative.redaction import COPIES

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_KNATIVE = "serving.knative.dev/"

# On a Service: not for editing. What the webhook stamps, whole copies of the object, and what this console writes.
STAMPS = frozenset(
    {
        *(CREATOR, LAST_MODIFIER, LAST_APPLIED, *COPIES),
        *(OPERATION, CHANGED_BY, CHANGED_GENERATION, "sluice.dev/fenced-by"),
    }
)

# On a Revision: what Knative's controllers add to what the template says (serving pkg/apis/serving/register.go), and
# what kn writes at each update.
REVISION_STAMPS = frozenset(
    {
        *(CREATOR, LAST_MODIFIER, UPDATE_TIMESTAMP, USER_IMAGE),
        *(
            _KNATIVE + name
            for name in (
                *("configuration", "configurationGeneration", "configurationUID", "service", "serviceUID"),
                *("routingState", "routingStateModified", "routes", "route", "lastPinned", "deployment-hash"),
            )
        ),
    }
)

# Single names, each with its tool. Those of a tool's own domain: console.knative.owners. A copy that carries
# them would be deleted, reverted or counted as the tool's.
_NAMES: Mapping[str, str] = {
    MANAGED_BY: "",  # the label's value is the tool
    "app.kubernetes.io/instance": "Argo CD, Helm",  # the tracking label unless another one is set; the release
    "addonmanager.kubernetes.io/mode": "addon manager",
    LAST_APPLIED: "kubectl",
    "kubernetes.io/change-cause": "kubectl",
}
# Of a moment of the original's: its making, its last change, its last restart.
_MOMENTS = frozenset({UPDATE_TIMESTAMP, RESTARTED_AT})


def without_stamps(found: Mapping[str, str]) -> dict[str, str]:
    """Return the labels or annotations of a Service that people edit."""
    return {key: value for key, value in found.items() if key not in STAMPS}


def stamps(found: Mapping[str, str]) -> dict[str, str]:
    """Return those that an editor does not show and an edit does not remove."""
    return {key: value for key, value in found.items() if key in STAMPS}


def without_revision_stamps(found: Mapping[str, str]) -> dict[str, str]:
    """Return the labels or annotations of a Revision that come from its template."""
    return {key: value for key, value in found.items() if key not in REVISION_STAMPS}


def for_a_copy(found: Mapping[str, str]) -> dict[str, str]:
    """Return the labels or annotations that a copy takes along: neither stamps nor marks of ownership."""
    return {key: value for key, value in found.items() if key not in STAMPS | _MOMENTS and _tool_of(key) is None}


def ownership(found: Mapping[str, str]) -> dict[str, str]:
    """Return the keys by which deployment tools find what they own, each with its tool."""
    tools = {key: _tool_of(key) for key in found}
    return {key: tool or found[key] for key, tool in tools.items() if tool is not None}


def _tool_of(key: str) -> str | None:
    """Return the tool of this label or annotation, empty where its value names the tool; None for any other key."""
    if key in _NAMES:
        return _NAMES[key]
    tool = tool_of(key)
    return str(tool) if tool else None
