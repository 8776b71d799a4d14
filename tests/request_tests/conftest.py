"""The sandbox, a service and people, as the tests of operations have them."""

from __future__ import annotations

from tests.operations.conftest import box, deployer, ref, viewer, world

__all__ = ["box", "deployer", "ref", "viewer", "world"]
