"""The clusters that people added, as a source of console.clusters: read again whenever one of them changed."""

import threading
from collections.abc import Iterable, Iterator
from uuid import UUID

import structlog
from django.db import Error, close_old_connections

from console.cluster.connections import ClusterSettings, SourceUnavailable
from console.database import Prepared
from console.registry.models import Cluster
from console.sealing import InvalidToken

log = structlog.get_logger(__name__)
_versions = Prepared(lambda: Cluster.objects.values_list("name", "version"))


class Source:
    """Call it for the clusters as they are now.

    While the database is away the clusters of before are kept; when there was no before, raises SourceUnavailable.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: dict[str, UUID] | None = None
        self._settings: tuple[ClusterSettings, ...] = ()

    def __call__(self) -> tuple[ClusterSettings, ...]:
        try:
            versions = dict(_versions.rows())
            with self._lock:
                if versions != self._versions:
                    self._settings = tuple(_settings(Cluster.objects.all()))
                    self._versions = versions
                return self._settings
        except Error as error:
            # The watcher asks outside of any request, at whose end Django would drop a broken connection.
            close_old_connections()
            with self._lock:
                if self._versions is None:
                    raise SourceUnavailable(f"The database is not responding ({type(error).__name__})") from error
                return self._settings


def _settings(clusters: Iterable[Cluster]) -> Iterator[ClusterSettings]:
    for cluster in clusters:
        try:
            yield cluster.connection_settings
        except InvalidToken:
            log.warning(
                "cluster_not_opened", cluster=cluster.name, reason="no key in CONSOLE_ENCRYPTION_KEYS decrypts it"
            )
