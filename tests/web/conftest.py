"""The sandbox behind the pages, for what needs a cluster's answer."""

from tests.operations.conftest import box, world

__all__ = ["box", "world"]
