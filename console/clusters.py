"""The clusters of this installation: those of CONSOLE_CLUSTERS, and those that console.registry registers."""

from django.conf import settings

from console.cluster.connections import Connections, parse

connections = Connections()
connections.register(lambda: parse(settings.CLUSTERS))
