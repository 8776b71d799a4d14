"""What a new sandbox holds before anyone touched it."""

from __future__ import annotations

from console.sandbox.store import Store


def seed(store: Store, name: str) -> None:
    """Fill the store: `empty` adds nothing. Raises ValueError for a seed that is not known."""
    if name not in ("", "empty"):
        raise ValueError(f"There is no seed named {name!r}; known: empty")
