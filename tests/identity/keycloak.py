"""A real Keycloak on loopback: fetched once by Maven, with a realm of ours, and its administration's REST interface.

with keycloak() as provider:
    provider.issuer, provider.change_user("alice", enabled=False)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.console_process import ROOT, free_port
from tests.waiting import eventually

VERSION = "26.7.0"
SHA256 = "f771df0aa1e4820f57d56f7d6d015beb6415487b43f8de7e5a6d48f8a7fe118a"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
CACHE = ROOT / ".cache" / "keycloak"
REALM = Path(__file__).with_name("realm.json")
CLIENT, SECRET = "sluice", "client-secret-of-at-least-32-bytes"  # as in realm.json
ADMIN, PASSWORD = "admin", "password-of-this-test-alone"
FETCH_SECONDS, BUILD_SECONDS, START_SECONDS = 600, 300, 300
HEAP = "-Xms64m -Xmx512m"


@dataclass
class Keycloak:
    """Where it answers, and what its administrator does."""

    url: str

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/company"

    def change_user(self, name: str, **fields: Any) -> None:
        self._admin("PUT", f"users/{self._user(name)}", fields)

    def join(self, name: str, group: str) -> None:
        self._admin("PUT", f"users/{self._user(name)}/groups/{self._group(group)}")

    def leave(self, name: str, group: str) -> None:
        self._admin("DELETE", f"users/{self._user(name)}/groups/{self._group(group)}")

    def sign_out(self, name: str) -> None:
        """As the administrator's "Sign out" does: Keycloak ends the sessions and tells its clients."""
        self._admin("POST", f"users/{self._user(name)}/logout")

    def rotate_keys(self) -> None:
        """Sign with a new key, and forget every former one for signatures."""
        realm = self._admin("GET", "").json()
        old = self._admin("GET", "components?type=org.keycloak.keys.KeyProvider").json()
        new = {
            "name": f"rsa-{len(old)}",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm["id"],
            "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]},
        }
        self._admin("POST", "components", new)
        for component in old:
            if component["providerId"] == "rsa-generated":
                self._admin("DELETE", f"components/{component['id']}")

    def change_client(self, **fields: Any) -> None:
        """Change the console's client; `attributes` are added to those that it has."""
        client = self._admin("GET", f"clients?clientId={CLIENT}").json()[0]
        fields["attributes"] = {**client["attributes"], **fields.get("attributes", {})}
        self._admin("PUT", f"clients/{client['id']}", {**client, **fields})

    def keys(self) -> set[str]:
        """The ids of the keys that it signs with."""
        told = requests.get(f"{self.issuer}/protocol/openid-connect/certs", timeout=30).json()
        return {key["kid"] for key in told["keys"] if key["use"] == "sig"}

    def _user(self, name: str) -> str:
        return str(self._admin("GET", f"users?exact=true&username={name}").json()[0]["id"])

    def _group(self, name: str) -> str:
        return str(self._admin("GET", f"groups?exact=true&search={name}").json()[0]["id"])

    def _admin(self, method: str, path: str, body: Any = None) -> requests.Response:
        form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": PASSWORD}
        address = f"{self.url}/realms/master/protocol/openid-connect/token"
        token = requests.post(address, data=form, timeout=60).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{self.url}/admin/realms/company/{path}".rstrip("/")
        answer = requests.request(method, address, json=body, headers=headers, timeout=60)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer


@contextmanager
def keycloak() -> Iterator[Keycloak]:
    """Start it with an empty database and the realm; stop it with SIGTERM."""
    home = installed()
    shutil.rmtree(home / "data", ignore_errors=True)
    (home / "data" / "import").mkdir(parents=True)
    shutil.copy(REALM, home / "data" / "import")
    provider = Keycloak(f"http://127.0.0.1:{free_port()}")
    output = home / "data" / "output.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(_command(home, provider), env=_environment(), stdout=sink, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: _answers(provider, process, output), timeout=START_SECONDS, message=f"see {output}")
        yield provider
    finally:
        process.terminate()
        process.wait(60)


def installed() -> Path:
    """Return its folder in .cache/, fetched, checked and built once."""
    home = CACHE / f"keycloak-{VERSION}"
    if not (home / ".built").exists():
        shutil.rmtree(home, ignore_errors=True)
        with tarfile.open(_fetched()) as archive:
            archive.extractall(CACHE, filter="data")
        build = [str(home / "bin" / "kc.sh"), "build", "--db=dev-file"]
        subprocess.run(build, env=_environment(), check=True, timeout=BUILD_SECONDS, stdout=subprocess.DEVNULL)
        (home / ".built").touch()
    return home


def _fetched() -> Path:
    archive = CACHE / f"keycloak-quarkus-dist-{VERSION}.tar.gz"
    if not archive.exists():
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={CACHE}"]
        subprocess.run(command, check=True, timeout=FETCH_SECONDS, cwd=_made(CACHE))
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        archive.unlink()
        raise RuntimeError(f"{archive.name} is not the archive that was pinned: {digest}")
    return archive


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _command(home: Path, provider: Keycloak) -> list[str]:
    port = provider.url.rpartition(":")[2]
    return [
        str(home / "bin" / "kc.sh"),
        "start",
        "--optimized",
        "--import-realm",
        "--cache=local",
        "--http-enabled=true",
        "--http-host=127.0.0.1",
        f"--http-port={port}",
        f"--hostname={provider.url}",
    ]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KC_")}
    return {
        **kept,
        "JAVA_OPTS_KC_HEAP": HEAP,
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
    }


def _answers(provider: Keycloak, process: subprocess.Popen[bytes], output: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"Keycloak ended with {process.returncode}:\n{output.read_text(errors='replace')[-4000:]}")
    try:
        return requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=10).ok
    except requests.RequestException:
        return False
