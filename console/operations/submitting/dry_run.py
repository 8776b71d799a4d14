"""What the cluster itself says to a change, asked without making it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from console import database
from console.cluster.errors import ClusterError, Refused, Uncertain
from console.cluster.gateway import Gateway
from console.cluster.transport import ATTEMPTS
from console.knative.changes import Applied, Verb
from console.knative.objects import Service
from console.knative.redaction import redact_text, secrets_of

Error = TypeVar("Error", bound=ClusterError)
POD_DRY_RUN = "features.knative.dev/podspec-dryrun"
MAX_RAW = 20_000  # characters of a refusal that are shown
DRY_RUN_SECONDS = 10.0  # that a person waits for the cluster's own word; admission may take longer


class Untested(StrEnum):
    """Why there is no result from the cluster: what is shown is what the console will send."""

    NO_DRY_RUN = "no-dry-run"  # a webhook does not allow it
    NO_ANSWER = "no-answer"  # not in time
    PODS = "pods"  # it was refused for a pod of the template, which a write does not try


@dataclass(frozen=True)
class DryRun:
    """What the cluster makes of a change without making it: the service afterwards, a refusal, or no word at all.

    `pods` is what it says to a pod of the template. A write succeeds nevertheless: it starts none itself.
    """

    after: Service | None = None
    refusal: ClusterError | None = None
    untested: Untested | None = None
    pods: Refused | None = None


def dry_run(gateway: Gateway, applied: Applied) -> DryRun:
    """Ask the cluster what it would make of the change, and of a pod of it; raises ChangeRefused."""
    gateway = gateway.with_timeout(DRY_RUN_SECONDS, attempts=ATTEMPTS)
    database.give_back()
    tried = _asked(gateway, applied, _asking_for_a_pod(applied.after))
    if tried.pods:  # below 1.20 the rest is tested without a pod
        return replace(_asked(gateway, applied, applied.after), pods=tried.pods)
    return tried


def _asked(gateway: Gateway, applied: Applied, wanted: Service) -> DryRun:
    try:
        after = DRY_RUNS[applied.change.verb](gateway, applied.before, wanted)
        return DryRun(after=_as_written(after, applied.after) if after else None)
    except Uncertain:
        return DryRun(untested=Untested.NO_ANSWER)
    except ClusterError as error:
        if isinstance(error, Refused) and error.is_no_dry_run:
            return DryRun(untested=Untested.NO_DRY_RUN)
        secrets = secrets_of(applied.before.raw) | secrets_of(wanted.raw)
        if isinstance(error, Refused) and (pods := error.of_pods):
            return DryRun(untested=Untested.PODS, pods=_readable(pods, secrets))
        return DryRun(refusal=_readable(error, secrets))


def _readable(error: Error, secrets: Collection[str]) -> Error:
    """The error without values: webhooks repeat parts of what they refuse."""
    error.raw = redact_text(error.raw, secrets)[:MAX_RAW]
    return error


def _asking_for_a_pod(service: Service) -> Service:
    """The service as it is sent to a dry run: below Serving 1.20 the annotation makes the webhook try a pod of it."""
    return service.with_annotations({POD_DRY_RUN: "enabled", **service.annotations})


def _as_written(after: Service, wanted: Service) -> Service:
    """The answer without the annotation that only the dry run had."""
    if POD_DRY_RUN in wanted.annotations:
        return after
    return after.with_annotations({key: value for key, value in after.annotations.items() if key != POD_DRY_RUN})


def _create(gateway: Gateway, before: Service, wanted: Service) -> Service:
    return gateway.create_service(wanted, dry_run=True)


def _update(gateway: Gateway, before: Service, wanted: Service) -> Service:
    return gateway.replace_service(wanted, dry_run=True)


def _delete(gateway: Gateway, before: Service, wanted: Service) -> None:
    gateway.delete_service(before.namespace, before.name, uid=before.uid, dry_run=True)


def _none(gateway: Gateway, before: Service, wanted: Service) -> None:
    """Nothing is asked."""


# How the cluster is asked about each kind of change; the answer is the service afterwards, None for a deletion.
DRY_RUNS: Mapping[Verb, Callable[[Gateway, Service, Service], Service | None]] = {
    Verb.CREATE: _create,
    Verb.UPDATE: _update,
    Verb.DELETE: _delete,
    Verb.DELETE_REVISION: _none,
}
