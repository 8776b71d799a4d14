"""The look and the behaviour of every page: many small files to read, two for browsers.

Each file is a request before a page is painted or works. `collectstatic` joins them; where static files are served as
they are on disk (make dev, tests), pages name each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import (  # type: ignore[import-untyped]  # WhiteNoise has no types
    CompressedManifestStaticFilesStorage,
)


@dataclass(frozen=True, slots=True)
class Joined:
    """Files that a browser gets as one, which lies beside them so that their relative addresses hold.

    Each is put between `before` and `after`.
    """

    path: str
    parts: tuple[str, ...]
    before: bytes = b""
    after: bytes = b""

    def text(self, parts: list[bytes]) -> bytes:
        return b"\n".join(self.before + part + self.after for part in parts)


# In the order in which later rules win. bootstrap.css has @import, which must come first.
_SHEETS = (
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
    "audit",
    "screens",
    "print",
)
# In the order in which they listen.
_SCRIPTS = (
    "traffic-editor",
    "further-rows",
    "rows",
    "env",
    "choose-all",
    "picked-names",
    "open-sections",
    "submit-once",
    "unsaved",
    "copy",
    "select-text",
    "needs-js",
    "open-tab",
    "fresh-token",
    "works-again",
    "focus-answer",
    "submit-key",
    "show-focus",
    "menus",
    "shortcuts",
    "palette",
    "toasts",
    "typed",
    "session-ended",
    "unseen",
    "ages",
    "live-rows",
    "live-parts",
    "live",
    "waiting",
)
SHEETS = Joined("css/joined.css", tuple(f"css/{name}.css" for name in _SHEETS))
# A script keeps its names to itself, and one that fails leaves the others working, as if it were alone.
SCRIPTS = Joined(
    "js/joined.js",
    tuple(f"js/{name}.js" for name in _SCRIPTS),
    before=b"try {\n",
    after=b"\n} catch (error) {\n  reportError(error);\n}",
)


class JoiningStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # as above
    """Hashed and compressed static files, with those of every page as two more."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Join, then hash and compress all files, the joined ones included."""
        if not dry_run:
            for joined in (SHEETS, SCRIPTS):
                self._join(joined, paths)
        yield from super().post_process(paths, dry_run, **options)

    def _join(self, joined: Joined, paths: dict[str, Any]) -> None:
        texts = []
        for part in joined.parts:
            storage, path = paths[part]
            with storage.open(path) as file:
                texts.append(file.read())
        self.delete(joined.path)
        self.save(joined.path, ContentFile(joined.text(texts)))
        paths[joined.path] = (self, joined.path)
