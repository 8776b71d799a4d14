"""Faults that tests order."""

from __future__ import annotations

import pytest
import urllib3

from tests.sandbox.api_client import CONFIGMAPS, SERVICES, Client, configmap
from tests.sandbox.conftest import RunningApi


def test_a_fault_meets_the_next_matching_requests_only(api: Client):
    api.post("/sandbox/faults", {"verb": "list", "resource": "services", "times": 2, "code": 429, "retry_after": 3})
    assert api.get(CONFIGMAPS).code == 200
    first, second, third = (api.get(SERVICES) for _ in range(3))
    assert [answer.code for answer in (first, second, third)] == [429, 429, 200]
    assert first.headers["Retry-After"] == "3"
    assert first.body["details"]["retryAfterSeconds"] == 3


@pytest.mark.parametrize(("cut", "was_written"), [("before", False), ("after", True)])
def test_a_cut_leaves_the_client_in_the_dark_about_its_write(api: Client, cut: str, was_written: bool):
    api.post("/sandbox/faults", {"verb": "create", "cut": cut})
    with pytest.raises(urllib3.exceptions.HTTPError):
        api.post(CONFIGMAPS, configmap("m"))
    assert (api.get(f"{CONFIGMAPS}/m").code == 200) is was_written


def test_faults_are_listed_and_forgotten(api: Client):
    api.post("/sandbox/faults", {"code": 500, "verb": "get"})
    assert [fault["code"] for fault in api.get("/sandbox/faults").body["faults"]] == [500]
    assert api.delete("/sandbox/faults").body == {"faults": []}


@pytest.mark.parametrize("fault", [{"kode": 500}, {"code": 299}, {"cut": "maybe"}])
def test_a_fault_that_does_not_exist_is_refused(api: Client, fault: dict):
    assert api.post("/sandbox/faults", fault).code == 400


def test_only_masters_order_faults(running_api: RunningApi):
    assert running_api.client("viewer").post("/sandbox/faults", {"code": 500}).code == 403
    assert running_api.client("stranger").get("/sandbox/facts").code == 401
