"""What a process does not need is not loaded: the unused part of `kubernetes` alone was 48 MB in each of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from kubernetes.client import Configuration
from kubernetes.config import kube_config

from tests.console_process import ROOT

AS_A_WORKER = """
import sys
from console.celery import app
app.loader.import_default_modules()
print(*(name for name in sys.modules if name.startswith(("kubernetes.client.", "console.web."))))
"""


def test_a_worker_loads_neither_the_models_of_kubernetes_nor_pages() -> None:
    """In a process of its own: this one has loaded whatever other tests need."""
    own = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", AS_A_WORKER]
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("kubernetes.")} == {
        "kubernetes.client.configuration",
        "kubernetes.client.exceptions",
        "kubernetes.client.rest",
    }
    assert not {name for name in loaded if name.startswith(("console.web.views", "console.web.forms"))}


def test_all_of_kubernetes_is_there_for_who_asks_for_it() -> None:
    from kubernetes import client, watch

    assert client.CustomObjectsApi(client.ApiClient(client.Configuration())).get_cluster_custom_object
    assert watch.Watch
    with pytest.raises(AttributeError):
        client.NothingOfThatName  # noqa: B018  reading it is what is tried


def test_what_renews_the_token_of_an_old_auth_provider_gets_a_whole_client() -> None:
    """`kubernetes.config` calls what it took for ApiClient when it was loaded."""
    assert kube_config.ApiClient(configuration=Configuration()).request
