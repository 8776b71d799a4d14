"""The last line of an export: what the file is, what it leaves out, and a signature over all of it.

`console/audit/offline/verify_sluice_audit.py` reads it; docs/audit-format.md describes it.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from console.audit import checkpoints

FORMAT = "sluice-audit-export/1"
EVERYTHING = "everything"  # the scope of who may read the whole log
_PURPOSE = b"sluice audit export\n"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked for which entries: numbers from `oldest` to `newest`, those that match `filter` and lie in `scope`."""

    by: str
    scope: str
    filter: str
    oldest: int
    newest: int


@dataclass(slots=True)
class Account:
    """What has been written: the digest of all lines, how many, the first and the last of them."""

    _sha256: Any = field(default_factory=hashlib.sha256)
    _count: int = 0
    _first: bytes = b""
    _last: bytes = b""

    def take(self, lines: bytes) -> None:
        """Note whole lines."""
        if not lines:
            return
        self._sha256.update(lines)
        found = lines.splitlines()
        self._count += len(found)
        self._first = self._first or found[0]
        self._last = found[-1]

    def line(self, origin: Origin) -> str:
        """Return the signed manifest of what was taken, as a line of JSON."""
        facts = {
            "format": FORMAT,
            "made_at": timezone.now().isoformat(timespec="seconds"),
            "by": origin.by,
            "scope": origin.scope,
            "filter": origin.filter,
            "oldest": origin.oldest,
            "newest": origin.newest,
            "entries": self._count,
            "ends": sorted([_link(self._first), _link(self._last)]) if self._count else [],
            "sha256": self._sha256.hexdigest(),
        }
        text = _PURPOSE + json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
        key, signature = checkpoints.sign(text)
        return json.dumps({"manifest": facts, "key": key, "signature": signature}, ensure_ascii=False) + "\n"


def _link(line: bytes) -> list[Any]:
    entry = json.loads(line)
    return [entry["sequence"], entry["hash"]]
