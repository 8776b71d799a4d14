"""The look of every page: many small sheets to read, one file for browsers.

Each sheet is a request before anything is painted. `collectstatic` joins them; where static files are served as they
are on disk (make dev, tests), pages name each.
"""

from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import (  # type: ignore[import-untyped]  # WhiteNoise has no types
    CompressedManifestStaticFilesStorage,
)

# In the order in which later rules win. bootstrap.css has @import, which must come first.
NAMES = (
    "bootstrap",
    "colours",
    "frame",
    "panels",
    "tables",
    "forms",
    "operations",
    "charts",
    "deploy",
    "services",
    "reach",
    "service",
    "review",
    "fields",
    "env",
    "screens",
    "print",
)
SHEETS = tuple(f"css/{name}.css" for name in NAMES)
JOINED = "css/joined.css"  # beside them, so that their relative addresses hold


class JoiningStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # as above
    """Hashed and compressed static files, with the sheets of every page as one more."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Join the sheets, then hash and compress all files, the joined one included."""
        if not dry_run:
            self._join(paths)
        yield from super().post_process(paths, dry_run, **options)

    def _join(self, paths: dict[str, Any]) -> None:
        texts = []
        for sheet in SHEETS:
            storage, path = paths[sheet]
            with storage.open(path) as file:
                texts.append(file.read())
        self.delete(JOINED)
        self.save(JOINED, ContentFile(b"\n".join(texts)))
        paths[JOINED] = (self, JOINED)
