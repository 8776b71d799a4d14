from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "console.web"

    def ready(self) -> None:
        """Let grants with a selector ask the mirror for a service's labels."""
        from console.access import labels
        from console.mirror import read

        def labels_in_mirror(ref):  # type: ignore[no-untyped-def]
            summary = read.summary(ref)
            return summary.labels if summary else {}

        labels.connect(labels_in_mirror)
