"""What Django's cache keeps in Redis: JSON. Reading it back never runs code, whatever was written (pickle would)."""

import json
from typing import Any


class JsonSerializer:
    """The serializer of Django's Redis cache. Numbers stay plain, so that Redis itself counts them up."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """Return the value; raises ValueError for anything that is not JSON."""
        return json.loads(data)
