"""What a deployment's settings refuse, and what Django's own deployment check says of them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
KEY = secrets.token_urlsafe(48)
PRODUCTION = {
    "CONSOLE_SECRET_KEY": KEY,
    "CONSOLE_URL": "https://sluice.example.com",
    "CONSOLE_ALLOWED_HOSTS": "sluice.example.com",
    "CONSOLE_DATABASE_URL": "postgres://sluice:secret@db:5432/sluice",
    "CONSOLE_REDIS_URL": "rediss://:secret@redis:6379/0",
    "CONSOLE_CLUSTERS": '[{"name": "production", "in_cluster": true}]',
    "CONSOLE_BEHIND_TLS_PROXY": "true",
}


def check(**changes: str) -> subprocess.CompletedProcess[str]:
    """Django's check of a deployment with these settings, in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CONSOLE_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env={**inherited, **PRODUCTION, **changes}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_production_settings_pass_djangos_deployment_check() -> None:
    done = check()
    assert done.returncode == 0, done.stderr
    assert "no issues (2 silenced)" in done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CONSOLE_DEMO": "1"}, "loopback only"),
        ({"CONSOLE_DEMO": "true", "CONSOLE_URL": "http://localhost", "CONSOLE_ALLOWED_HOSTS": "*"}, "loopback only"),
        ({"CONSOLE_SECRET_KEY": "change-me"}, "openssl rand"),
        ({"CONSOLE_SECRET_KEY": "x" * 80}, "openssl rand"),
        ({"CONSOLE_SECRET_KEY": ""}, "CONSOLE_SECRET_KEY is not set"),
        ({"CONSOLE_OIDC_ISSUER": "http://id.example.com"}, "https://"),
        ({"CONSOLE_TRUSTED_PROXIES": "1"}, "CONSOLE_PROXY_NETWORKS must say"),
        ({"CONSOLE_TRUSTED_PROXIES": "1", "CONSOLE_PROXY_NETWORKS": "10.4.0.1/16"}, "host bits set"),
    ],
    ids=["demo", "demo for every host", "a known key", "a simple key", "no key", "an issuer without TLS",
         "any proxy", "a network that is none"],
)  # fmt: skip
def test_a_deployment_that_is_open_to_everybody_does_not_start(change: dict[str, str], words: str) -> None:
    done = check(**change)
    assert done.returncode != 0
    assert words in done.stderr
    assert KEY not in done.stderr
