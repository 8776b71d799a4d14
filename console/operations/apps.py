from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "console.operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Load the Celery application: without it, tasks sent from the web would go to a default broker."""
        import console.celery  # noqa: F401  loaded for its effect
