from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "console.access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hear of sign-ins and of connections to the database, and give the audit log the roles in which people act."""
        from django.db.backends.signals import connection_created

        from console.access import signals  # noqa: F401  connects them
        from console.access.acting_role import acting_role
        from console.access.permissions import Permission
        from console.access.rights_history.recording import listen
        from console.audit.acting_role import connect
        from console.counters import begin_at_zero
        from console.database import keep_storable

        connection_created.connect(keep_storable)
        connect(acting_role)
        begin_at_zero(Permission)
        listen()
