"""The sandbox behind the pages, for what needs a cluster's answer; and a client that ends where a browser would."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.operations.conftest import box, ref, world

__all__ = ["FormClient", "box", "client", "ref", "world"]


class FormClient(Client):
    """After sending a form that leads to a preview it holds the preview, as a browser does; other redirects stay."""

    def post(self, path: Any, *arguments: Any, **more: Any) -> Any:
        response = super().post(path, *arguments, **more)
        if response.status_code == 303 and "preview=" in response["Location"]:
            kept = {name: more[name] for name in ("headers", "follow") if name in more}
            return self.get(response["Location"], **kept)
        return response


@pytest.fixture
def client() -> FormClient:
    return FormClient()
