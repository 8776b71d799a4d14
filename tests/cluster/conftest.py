"""The real control plane, started once for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import browser, visitor
from tests.cluster.control_plane import ControlPlane, control_plane

__all__ = ["browser", "visitor"]


@pytest.fixture(scope="session")
def box() -> Iterator[ControlPlane]:
    with control_plane() as started:
        yield started
