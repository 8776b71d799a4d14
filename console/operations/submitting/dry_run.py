"""What the cluster itself says to a change, asked without making it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from console import database
from console.cluster.errors import ClusterError, Refused, Uncertain
from console.cluster.gateway import Gateway
from console.cluster.transport import ATTEMPTS
from console.knative.changes import Applied, Verb
from console.knative.objects import Service
from console.knative.redaction import redact_text, secrets_of

MAX_RAW = 20_000  # characters of a refusal that are shown
DRY_RUN_SECONDS = 10.0  # that a person waits for the cluster's own word; admission may take longer


class Untested(StrEnum):
    """Why there is no result from the cluster: what is shown is what the console will send."""

    NO_DRY_RUN = "no-dry-run"  # a webhook does not allow it
    NO_ANSWER = "no-answer"  # not in time


@dataclass(frozen=True)
class DryRun:
    """What the cluster makes of a change without making it: the service afterwards, a refusal, or no word at all."""

    after: Service | None = None
    refusal: ClusterError | None = None
    untested: Untested | None = None


def dry_run(gateway: Gateway, applied: Applied) -> DryRun:
    """Ask the cluster what it would make of the change; raises ChangeRefused."""
    transport = gateway.connection.transport.with_timeout(DRY_RUN_SECONDS, attempts=ATTEMPTS)
    gateway = replace(gateway, connection=replace(gateway.connection, transport=transport))
    before, wanted = applied.before, applied.after
    database.give_back()
    try:
        return DryRun(after=DRY_RUNS[applied.change.verb](gateway, before, wanted))
    except Uncertain:
        return DryRun(untested=Untested.NO_ANSWER)
    except ClusterError as error:
        if isinstance(error, Refused) and error.is_no_dry_run:
            return DryRun(untested=Untested.NO_DRY_RUN)
        secrets = secrets_of(before.raw) | secrets_of(wanted.raw)
        error.raw = redact_text(error.raw, secrets)[:MAX_RAW]  # webhooks repeat parts of what they refuse
        return DryRun(refusal=error)


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
