"""Changes: small named edits of a service that leave everything else as it was.

A change is data with one verb. The engine, the difference and the audit text learn of a new kind of change by the
methods of `Change`, the kn command by the difference (`kn_command`); `dump` and `load` carry it through the database.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from console.knative.changes.base import Change, ChangeRefused
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
from console.knative.changes.traffic import SplitTraffic
from console.knative.changes.volumes import SetVolumes

__all__ = [
    "Change",
    "ChangeRefused",
    "Combined",
    "CreateService",
    "DeleteRevision",
    "DeleteService",
    "EnvEntry",
    "EnvPlace",
    "EnvSource",
    "KeepDigest",
    "Redeploy",
    "ReplaceManifest",
    "ResolveImage",
    "Restart",
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
    "dump",
    "load",
    "permissions",
]

KINDS: Mapping[str, type[Change]] = {
    kind.__name__: kind
    for kind in (
        CreateService,
        DeleteRevision,
        DeleteService,
        KeepDigest,
        Redeploy,
        ReplaceManifest,
        ResolveImage,
        Restart,
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
    if isinstance(change, Combined):
        return {"kind": "Combined", "changes": [dump(part) for part in change.changes]}
    return {"kind": type(change).__name__, **msgspec.to_builtins(change)}


def load(data: Mapping[str, Any]) -> Change:
    """Return the change that `dump` wrote; raises KeyError or msgspec.ValidationError for anything else."""
    if data["kind"] == "Combined":
        return Combined(tuple(load(part) for part in data["changes"]))
    fields = {key: value for key, value in data.items() if key != "kind"}
    return msgspec.convert(fields, KINDS[data["kind"]])


def permissions(change: Change) -> frozenset[str]:
    """Return every right that the change needs, of all its parts.

    Keeping what runs asks for nothing more than what it is kept beside.
    """
    if isinstance(change, Combined):
        parts = [part for part in change.changes if not isinstance(part, KeepDigest)] or change.changes
        return frozenset().union(*(permissions(part) for part in parts))
    return frozenset({change.permission})
