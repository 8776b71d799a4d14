"""Adding, changing and removing clusters: each with its audit entry, in one transaction."""

from dataclasses import dataclass, field

from django.db import transaction

from console import audit, database
from console.audit import Outcome
from console.audit.chain import Actor
from console.cluster.probe import Report, probe
from console.database import after_commit
from console.knative.diff import FieldChange
from console.knative.references import ServiceRef
from console.registry import reports
from console.registry.credentials import Credential, fingerprint
from console.registry.models import Cluster


class CredentialNeeded(Exception):
    """The address changed: the kept credential is not sent to another one than it was given for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cluster as somebody wants it to be. Without a credential the kept one stays."""

    name: str
    url: str
    ca: str = ""
    ingress: str = ""
    impersonates: bool = False
    credential: Credential = field(default_factory=Credential, repr=False)

    def on(self, cluster: Cluster) -> Cluster:
        """Return the cluster with all of this, not saved; raises CredentialNeeded."""
        if not self.credential and (cluster._state.adding or self.url != cluster.url):
            raise CredentialNeeded
        cluster.name, cluster.url, cluster.ca = self.name, self.url, self.ca
        cluster.ingress, cluster.impersonates = self.ingress, self.impersonates
        if self.credential:
            cluster.hold(self.credential)
        return cluster


def test(wanted: Wanted, cluster: Cluster | None, *, actor: Actor) -> Report:
    """Try the connection as it would be saved (over `cluster`, when that exists) and return what was found.

    Leaves an audit entry, for it sends a credential to an address. Raises CredentialNeeded.
    """
    tried = Cluster() if cluster is None else Cluster.objects.get(pk=cluster.pk)
    settings = wanted.on(tried).connection_settings
    database.give_back()
    report = probe(settings, impersonates=wanted.impersonates)
    _record_test(settings.name, settings.url, report, actor)
    return report


def test_again(name: str, *, actor: Actor) -> Report:
    """Try the connection of a known cluster, keep the report for its page and return it."""
    report = reports.refresh(name)
    _record_test(name, "", report, actor)
    return report


@transaction.atomic
def add(wanted: Wanted, *, actor: Actor) -> Cluster:
    """Add the cluster; the watcher finds it within a second or two. Raises CredentialNeeded."""
    cluster = wanted.on(Cluster(added_by=actor.name))
    cluster.save(force_insert=True)
    _record("cluster.added", cluster, actor, _facts(None), _facts(cluster))
    return cluster


@transaction.atomic
def change(pk: int, wanted: Wanted, *, actor: Actor) -> Cluster:
    """Change the cluster, whose name stays; raises CredentialNeeded."""
    cluster = Cluster.objects.select_for_update().get(pk=pk)
    before = _facts(cluster)
    wanted.on(cluster)
    cluster.mark_changed()
    cluster.save()
    after = _facts(cluster) | ({"credential": "replaced"} if wanted.credential else {})
    _record("cluster.changed", cluster, actor, before, after)
    return cluster


@transaction.atomic
def remove(pk: int, *, actor: Actor) -> None:
    """Remove the cluster with its credential; the watcher clears its copy."""
    cluster = Cluster.objects.select_for_update().get(pk=pk)
    _record("cluster.removed", cluster, actor, _facts(cluster), _facts(None))
    cluster.delete()
    after_commit(reports.forget, cluster.name)


def _record_test(name: str, url: str, report: Report, actor: Actor) -> None:
    audit.record(
        "cluster.tested",
        actor=actor,
        ref=ServiceRef(name, "", ""),
        outcome=Outcome.SUCCEEDED if report.is_usable else Outcome.FAILED,
        text=f"{url} {report.result}".strip(),
    )


def _facts(cluster: Cluster | None) -> dict[str, str | None]:
    """What the log may tell of a cluster: never the credential."""
    return {
        "url": cluster.url if cluster else None,
        "ca": (fingerprint(cluster.ca) or None) if cluster else None,
        "ingress": (cluster.ingress or None) if cluster else None,
        "impersonates": str(cluster.impersonates).lower() if cluster else None,
        "credential": None if cluster is None else "kept",
    }


def _record(
    action: str, cluster: Cluster, actor: Actor, before: dict[str, str | None], after: dict[str, str | None]
) -> None:
    rows = [FieldChange((key,), before[key], after[key]) for key in before if before[key] != after[key]]
    ref = ServiceRef(cluster.name, "", "")
    audit.record(action, actor=actor, ref=ref, outcome=Outcome.SUCCEEDED, changes=rows)
