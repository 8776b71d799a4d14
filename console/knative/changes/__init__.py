"""Changes: small named edits of a service that leave everything else as it was.

A change is data with one verb. What must be known of a kind of change is a fact or a method of its class (`Change`):
no other module asks whether a change is of this or that class. `KINDS` registers them, so that `dump` and `load` carry
them through the database; the words for their names are in console.web.words. `apply_to` applies one, once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from console.knative.changes.applied import Applied, apply_to
from console.knative.changes.base import Act, Change, ChangeRefused, JudgedBy, Verb
from console.knative.changes.container import (
    EnvSource,
    SetCommand,
    SetEnvFrom,
    SetPort,
    SetProbe,
    SetPullPolicy,
    SetResources,
    SetUser,
)
from console.knative.changes.env import EnvEntry, EnvPlace, SetEnv
from console.knative.changes.image import KeepDigest, ResolveImage, Restart, SetImage
from console.knative.changes.lifecycle import (
    Combined,
    CreateService,
    DeleteRevision,
    DeleteService,
    Deploy,
    Redeploy,
    ReplaceManifest,
)
from console.knative.changes.placement import SetPlacement
from console.knative.changes.template import (
    SetAnnotations,
    SetConcurrency,
    SetLabels,
    SetPullSecrets,
    SetRevisionName,
    SetScale,
    SetServiceAccount,
    SetTimeout,
    SetVisibility,
)
from console.knative.changes.traffic import RollBack, RouteNewRevision, SplitTraffic
from console.knative.changes.volumes import SetVolumes

__all__ = [
    "KINDS",
    "Act",
    "Applied",
    "Change",
    "ChangeRefused",
    "Combined",
    "CreateService",
    "DeleteRevision",
    "DeleteService",
    "Deploy",
    "EnvEntry",
    "EnvPlace",
    "EnvSource",
    "JudgedBy",
    "KeepDigest",
    "Redeploy",
    "ReplaceManifest",
    "ResolveImage",
    "Restart",
    "RollBack",
    "RouteNewRevision",
    "SetAnnotations",
    "SetCommand",
    "SetConcurrency",
    "SetEnv",
    "SetEnvFrom",
    "SetImage",
    "SetLabels",
    "SetPlacement",
    "SetPort",
    "SetProbe",
    "SetPullPolicy",
    "SetPullSecrets",
    "SetResources",
    "SetRevisionName",
    "SetScale",
    "SetServiceAccount",
    "SetTimeout",
    "SetUser",
    "SetVisibility",
    "SetVolumes",
    "SplitTraffic",
    "Verb",
    "act_of",
    "apply_to",
    "composed",
    "dump",
    "load",
    "name_of",
    "permission_of",
    "permissions",
    "verb_of",
]

COMBINED = Combined.__name__  # no kind of its own: several at once
COMPOSITES: Mapping[str, type[Combined]] = {COMBINED: Combined, Deploy.__name__: Deploy}
KINDS: Mapping[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        CreateService,
        DeleteRevision,
        DeleteService,
        Deploy,
        KeepDigest,
        Redeploy,
        ReplaceManifest,
        ResolveImage,
        Restart,
        RollBack,
        RouteNewRevision,
        SetAnnotations,
        SetCommand,
        SetConcurrency,
        SetEnv,
        SetEnvFrom,
        SetImage,
        SetLabels,
        SetPlacement,
        SetPort,
        SetProbe,
        SetPullPolicy,
        SetPullSecrets,
        SetResources,
        SetRevisionName,
        SetScale,
        SetServiceAccount,
        SetTimeout,
        SetUser,
        SetVisibility,
        SetVolumes,
        SplitTraffic,
    )
}


def dump(change: Change) -> dict[str, Any]:
    """Return the change as JSON data; `load` gives it back."""
    if change.parts != (change,):
        return {"kind": type(change).__name__, "changes": [dump(part) for part in change.parts]}
    return {"kind": type(change).__name__, **msgspec.to_builtins(change)}


def load(data: Mapping[str, Any]) -> Change:
    """Return the change that `dump` wrote; raises KeyError or msgspec.ValidationError for anything else."""
    if data["kind"] in COMPOSITES:
        return COMPOSITES[data["kind"]](tuple(load(part) for part in data["changes"]))
    fields = {key: value for key, value in data.items() if key != "kind"}
    return msgspec.convert(fields, KINDS[data["kind"]])


def composed(like: Change, parts: Iterable[Change]) -> Change:
    """Return the parts as one change, of the kind of another that was made of several."""
    return COMPOSITES.get(type(like).__name__, Combined)(tuple(parts))


def name_of(change: Change) -> str:
    """Return the name of its kind, for lists and the audit log: that of its one part that a person asked for."""
    asked = _asked(change)
    return type(asked[0] if len(asked) == 1 else change).__name__


def act_of(change: Change) -> Act:
    """Return what a person does with it: what its one part does that they asked for, else they deploy."""
    asked = _asked(change)
    return asked[0].act if len(asked) == 1 else Act.DEPLOY


def _asked(change: Change) -> Sequence[Change]:
    return [part for part in change.parts if not part.is_companion] or change.parts


def verb_of(name: str) -> Verb:
    """Return the verb of a kind by its name: several at once, or a kind of another version, is an update."""
    return KINDS[name].verb if name in KINDS else Verb.UPDATE


def permission_of(name: str) -> str:
    """Return the permission after which this kind of change is named; deploy for one that is made of several."""
    found: object = getattr(KINDS.get(name), "permission", None)
    return found if isinstance(found, str) else "deploy"


def permissions(change: Change) -> frozenset[str]:
    """Return every right that the change needs, of all its parts.

    Keeping what runs asks for nothing more than what it is kept beside.
    """
    parts = [part for part in change.parts if part.judged_by is not JudgedBy.NOTHING] or change.parts
    return frozenset(part.permission for part in parts)
