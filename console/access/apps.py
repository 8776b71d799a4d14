from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "console.access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of sign-ins, and tell the audit log in which roles people act."""
        from console.access import signals  # noqa: F401  connects them
        from console.access.standing import standing
        from console.audit.standing import connect

        connect(standing)
