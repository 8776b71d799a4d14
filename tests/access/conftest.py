"""An identity provider for the tests of single sign-on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.access import identity_provider
from tests.access.identity_provider import CLIENT, SECRET, Provider


@pytest.fixture(scope="module")
def process() -> Iterator[Provider]:
    with identity_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(process: Provider, settings) -> Provider:
    process.honest()
    app = {"provider_id": "oidc", "name": "Company", "client_id": CLIENT, "secret": SECRET}
    settings.SOCIALACCOUNT_PROVIDERS = {"oidc": {"APPS": [{**app, "settings": {"server_url": process.url}}]}}
    process.knows("1", preferred_username="alice", email="alice@example.com", groups=["shop", "unknown"])
    return process
