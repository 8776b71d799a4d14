"""The Configuration controller: a Revision for each generation, and which of them are latest."""

from __future__ import annotations

from console.sandbox.knative.cluster import Cluster
from console.sandbox.knative.conditions import FALSE, TRUE, Conditions, condition_of
from console.sandbox.knative.objects import (
    GENERATION_LABEL,
    Key,
    Object,
    labels_of,
    revision_for,
    revision_name_for,
    status_of,
)
from console.sandbox.resources import CONFIGURATIONS, REVISIONS

SOURCE = "configuration-controller"


class ConfigurationController:
    """Reconciles one Configuration at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def delay(self, configuration: Object) -> float:
        """The seconds until a change is taken up."""
        return self._cluster.settings.timings.configuration

    def reconcile(self, key: Key) -> None:
        """Create the generation's Revision if there is none, then say how it goes."""
        store = self._cluster.store
        configuration = store.find(CONFIGURATIONS, *key)
        if configuration is None or "deletionTimestamp" in configuration["metadata"]:
            return
        name, generation = revision_name_for(configuration), configuration["metadata"]["generation"]
        revision = store.find(REVISIONS, key[0], name)
        if revision is None:
            revision = store.create(REVISIONS, revision_for(configuration, self._cluster.clock.timestamp()))
            self._cluster.events.record(configuration, "Created", f'Created Revision "{name}"', source=SOURCE)
        is_own = labels_of(revision).get(GENERATION_LABEL) == str(generation)
        status = dict(status_of(configuration))
        is_new = status.get("observedGeneration") != generation
        conditions = Conditions([] if is_new else status.get("conditions") or [], (), self._cluster.clock.timestamp())
        status["observedGeneration"] = generation
        if is_own:
            status["latestCreatedRevisionName"] = name
            self._follow(configuration, revision, status, conditions)
        else:
            why = f'The revision name "{name}" is taken by a conflicting Revision, so traffic will not be migrated'
            conditions.mark_false("Ready", "RevisionNameTaken", why)
        status["conditions"] = conditions.as_list()
        self._cluster.write_status(CONFIGURATIONS, configuration, status)

    def _follow(self, configuration: Object, revision: Object, status: Object, conditions: Conditions) -> None:
        name, ready = revision["metadata"]["name"], condition_of(revision, "Ready")
        if ready.get("status") == TRUE:
            conditions.mark_true("Ready")
            if status.get("latestReadyRevisionName") == name:
                return
            status["latestReadyRevisionName"] = name
            record = self._cluster.events.record
            record(configuration, "ConfigurationReady", "Configuration becomes ready", source=SOURCE)
            record(configuration, "LatestReadyUpdate", f'LatestReadyRevisionName updated to "{name}"', source=SOURCE)
        elif ready.get("status") == FALSE:
            why = f'Revision "{name}" failed with message: {ready.get("message", "")}.'
            conditions.mark_false("Ready", "RevisionFailed", why)
        elif name != status.get("latestReadyRevisionName"):
            conditions.mark_unknown("Ready")
