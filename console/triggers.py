"""Running the right statements of a trigger for the database at hand, from migrations."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import migrations


def migration(
    *, postgresql: Sequence[str], postgresql_drop: Sequence[str], sqlite: Sequence[str], sqlite_drop: Sequence[str]
) -> migrations.RunPython:
    """Return the reversible migration step that makes the triggers."""
    return migrations.RunPython(_run(postgresql, sqlite), _run(postgresql_drop, sqlite_drop))


def _run(postgresql: Sequence[str], sqlite: Sequence[str]) -> Callable[[Any, Any], None]:
    def run(_apps: Any, schema_editor: Any) -> None:
        for statement in postgresql if schema_editor.connection.vendor == "postgresql" else sqlite:
            schema_editor.execute(statement)

    return run
