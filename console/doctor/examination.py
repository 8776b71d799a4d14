"""All examinations, in the order in which one would mend what they find."""

from collections.abc import Callable, Iterator

from console.doctor import clusters, configuration, processes, servers
from console.doctor.findings import Finding, Level

BEFORE_ANYTHING: tuple[Callable[[], Iterator[Finding]], ...] = (
    configuration.settings_agree,
    servers.database,
    servers.redis_server,
)
# They read the database.
THEN: tuple[Callable[[], Iterator[Finding]], ...] = (
    configuration.keys_open_everything,
    configuration.an_administrator_exists,
    processes.workers,
    processes.operations,
    processes.watcher,
    clusters.clusters,
)


def examine() -> Iterator[Finding]:
    """Yield what each part of the installation is like. Where the database fails, what rests on it is not asked."""
    is_database_sound = True
    for look in BEFORE_ANYTHING:
        for finding in look():
            is_database_sound &= not (finding.part == "database" and finding.level is Level.PROBLEM)
            yield finding
    if not is_database_sound:
        return
    for look in THEN:
        yield from look()
