from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "console.registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every process see the clusters that people added, after those of CONSOLE_CLUSTERS."""
        from console.clusters import connections
        from console.registry.source import Source

        connections.register(Source())
