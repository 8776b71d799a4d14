from collections.abc import Callable, Iterable
from functools import cache

from django.apps import AppConfig

from console.knative.references import ServiceRef


class WebConfig(AppConfig):
    name = "console.web"

    def ready(self) -> None:
        """Let grants with a selector ask the mirror for services and their labels."""
        from console.access import labels
        from console.mirror import read

        def labels_in_mirror(ref: ServiceRef) -> labels.Labels:
            try:
                summary = read.summary(ref)
            except read.MirrorIncomplete as error:
                return labels.UnknownLabels(error)
            return summary.labels if summary else {}

        def many_in_mirror() -> Callable[[ServiceRef], labels.Labels]:
            rows = cache(lambda cluster: read.copy(cluster).by_name)
            is_all = cache(lambda cluster: read.is_whole(cluster, "services") or cluster not in read.clusters())

            def of_copy(ref: ServiceRef) -> labels.Labels:
                row = rows(ref.cluster).get(f"{ref.namespace}/{ref.name}")
                if row is None:
                    return {} if is_all(ref.cluster) else labels_in_mirror(ref)
                return row.labels

            return of_copy

        def services_in_mirror() -> Iterable[tuple[ServiceRef, labels.Labels]]:
            return ((row.ref, row.labels) for cluster in read.clusters() for row in read.services(cluster))

        labels.connect(labels_in_mirror, services_in_mirror, (read.MirrorUnavailable,), many_in_mirror)
