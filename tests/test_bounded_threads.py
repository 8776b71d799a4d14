"""A request costs as few switches between threads as it can: each costs more than most middleware."""

from __future__ import annotations

import pytest

from console.bounded_threads import BoundedHandler, BoundedThreads
from tests.test_body_limit import Sender, scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def switches(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The calls that were given to a thread of web."""
    found: list[object] = []
    submit = BoundedThreads.submit

    def counted(self: BoundedThreads, fn, /, *args, **kwargs):
        found.append(fn)
        return submit(self, fn, *args, **kwargs)

    monkeypatch.setattr(BoundedThreads, "submit", counted)
    return found


async def statuses(path: str) -> list[int]:
    found: list[int] = []

    async def send(message) -> None:
        found.extend([message["status"]] if message["type"] == "http.response.start" else [])

    await BoundedHandler()({**scope(path), "method": "GET"}, Sender(1).receive, send)
    return found


@pytest.mark.parametrize(("path", "status"), [("/healthz/live", 200), ("/nothing/", 404)])
async def test_a_request_goes_to_a_thread_to_be_answered_and_to_be_closed(
    path: str, status: int, switches: list[object]
) -> None:
    assert await statuses(path) == [status]
    assert len(switches) == 2
