"""A client generated from our OpenAPI document is typed, reaches every address, and gets what the pages show."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from django.core.wsgi import get_wsgi_application
from django.test import Client

from console.operations.models import Operation
from console.sealing import seal
from console.web.api.endpoints import ENDPOINTS
from console.web.api.openapi import document
from tests.web.api.conftest import OPERATION, caller, no_wrong_tokens_yet, operation, protected
from tests.web.pages import read

__all__ = ["caller", "no_wrong_tokens_yet", "operation", "protected"]  # fixtures

PROGRAM = Path(__file__).with_name("program.py")
SHOP = "/services/box/default/shop/"
PAGES = {
    "whoami": "/tokens/?whose=all",
    "clusters": "/clusters/",
    "services": "/",
    "service": SHOP,
    "all-revisions": "/revisions/",
    "revisions": f"{SHOP}revisions/",
    "revision": f"{SHOP}revisions/shop-00004/",
    "operations": "/operations/?status=failed",
    "operation": f"/operations/{OPERATION}/",
    "audit": "/audit/?outcome=requested&service=shop",
    "audit-entry": "/audit/{sequence}/",
    "rules": "/protection/",
    "freezes": "/protection/",
    "people": "/teams/people/?state=active",
    "grants": "/teams/",
    "roles": "/teams/roles/",
}
MISUSES = {
    "a value that is none of the enum": 'services.sync(client=client, health="well")',
    "a parameter that there is not": "services.sync(client=client, limt=1)",
    "a text for a moment": 'operations.sync(client=client, since="2026-11-24")',
    "a null that is not looked at": "answered(services.sync(client=client), ServiceList).items[0].created_at.year",
    "a field that there is not": "answered(services.sync(client=client), ServiceList).items[0].colour",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package that openapi-python-client makes of the document."""
    found = tmp_path_factory.mktemp("client")
    (found / "openapi.json").write_text(json.dumps(document()))
    (found / "config.yaml").write_text("post_hooks: []\n")
    target = ["--meta", "none", "--output-path", str(found / "sluice_client"), "--config", str(found / "config.yaml")]
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    made = subprocess.run([*command, "--path", str(found / "openapi.json"), *target], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return found


@pytest.fixture
def client(folder: Path, caller, monkeypatch: pytest.MonkeyPatch):
    """The generated client as an administrator's script has it; its requests come to the console in this process."""
    monkeypatch.syspath_prepend(folder)
    token = caller("administrator").defaults["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    made = importlib.import_module("sluice_client").AuthenticatedClient
    transport = httpx.WSGITransport(app=get_wsgi_application())
    return made("http://testserver/api/v1", token, httpx_args={"transport": transport})


@pytest.fixture
def program(client) -> ModuleType:
    return importlib.import_module("tests.typed_client.program")


def typed(folder: Path, *files: Path) -> list[str]:
    """What `mypy --strict` says against the files, which may import the generated client."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--cache-dir", ".mypy"]
    asked = subprocess.run([*command, *map(str, files)], cwd=folder, capture_output=True, text=True)
    assert asked.returncode in (0, 1), asked.stderr
    return [line for line in asked.stdout.splitlines() if ": error:" in line]


def test_a_program_that_uses_every_address_is_strictly_typed(folder: Path) -> None:
    assert typed(folder, PROGRAM) == []


def test_a_program_that_misuses_the_client_is_not(folder: Path) -> None:
    """So the types say something."""
    lines = PROGRAM.read_text() + "\n\ndef misuse(client: AuthenticatedClient) -> None:\n"
    wrong = folder / "misuse.py"
    wrong.write_text(lines + "".join(f"    {code}\n" for code in MISUSES.values()))
    first = lines.count("\n") + 1
    said = {int(line.split(":")[1]) - first for line in typed(folder, wrong)}
    assert [name for number, name in enumerate(MISUSES) if number not in said] == []


def test_every_address_has_a_function_and_the_program_calls_each(
    folder: Path, client, program, operation, protected
) -> None:
    modules = pkgutil.iter_modules([str(folder / "sluice_client" / "api" / "default")])
    made = {module.name.replace("_", "-") for module in modules}
    assert made == {endpoint.name.removeprefix("api-") for endpoint in ENDPOINTS} == set(PAGES)
    assert set(program.every(client, OPERATION)) == made


def test_what_the_client_gets_is_what_the_pages_show(client, program, operation, protected, people) -> None:
    Operation.objects.filter(id=OPERATION).update(sealed_change=seal({"kind": "SplitTraffic", "targets": []}))
    browser = Client()
    browser.force_login(people["administrator"])
    sequence = operation_entry(program, client)
    for name, facts in program.every(client, OPERATION).items():
        text = read(browser.get(PAGES[name].format(sequence=sequence))).text
        assert facts, name
        assert [fact for fact in facts if fact not in text] == [], name


def operation_entry(program: ModuleType, client: object) -> str:
    """The sequence of the entry about the operation."""
    return next(fact for fact in program.of_audit(client) if fact.isdecimal())


def test_a_refusal_comes_with_what_is_allowed(folder: Path, client, program) -> None:
    services = importlib.import_module("sluice_client.api.default.services")
    problem = services.sync(client=client, cursor="invented")
    with pytest.raises(program.Refused) as refused:
        program.answered(problem, object)
    assert (refused.value.parameter, refused.value.allowed) == ("cursor", [])
