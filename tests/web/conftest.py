"""The sandbox behind the pages, for what needs a cluster's answer."""

from tests.operations.conftest import box, ref, world

__all__ = ["box", "ref", "world"]
