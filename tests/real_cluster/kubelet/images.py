"""What an image is, told by its name: a program that answers as the samples do, or one that cannot be pulled."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUEUE_PROXY = "queue-proxy"
_SAMPLE = Path(__file__).parent / "sample.py"


@dataclass(frozen=True)
class Image:
    """An image as a node sees it: what to run, or why it cannot be pulled."""

    name: str
    command: list[str]
    refusal: str = ""

    @property
    def digest(self) -> str:
        """A digest made from the name: there is no content."""
        return f"{self.name.partition('@')[0]}@sha256:{hashlib.sha256(self.name.encode()).hexdigest()}"


def pull(container: dict[str, Any], programs: Path) -> Image:
    """Return the container's image. Knative's own queue-proxy is the real program; `programs` holds it."""
    name = container["image"]
    if container["name"] == QUEUE_PROXY:
        return Image(name, [str(programs / "queue")])
    if "missing" in name.rpartition("/")[2]:
        why = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": {name}: not found'
        return Image(name, [], why)
    return Image(name, [sys.executable, "-I", str(_SAMPLE), name])
