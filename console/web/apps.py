from collections.abc import Iterable

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

        def services_in_mirror() -> Iterable[tuple[ServiceRef, labels.Labels]]:
            return ((row.ref, row.labels) for cluster in read.clusters() for row in read.services(cluster))

        labels.connect(labels_in_mirror, services_in_mirror, (read.MirrorUnavailable,))
