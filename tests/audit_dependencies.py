"""`python -m tests.audit_dependencies`: whether a pinned package has a known vulnerability.

Asks the advisory services that pip-audit knows. Where none answers it says so in a banner, keeps the banner for the end
of .ci/run, and compares the pins with the reviewed table tests/advisories.toml, which knows less. A finding of either
ends with 1.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LISTS = ("requirements.txt", "requirements-dev.txt")
SERVICES = ("pypi", "osv")
SERVICE_SECONDS = 120
NOT_ASKED = ROOT / "test-artifacts" / "advisories-not-asked"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


class Unanswered(Exception):
    """No service told anything of some package; says why."""


def main() -> int:
    """Print what was found; returns the exit code."""
    pinned = pins((ROOT / name).read_text() for name in LISTS)
    NOT_ASKED.unlink(missing_ok=True)
    try:
        service, findings = asked()
        print(f"{len(pinned)} pinned packages, asked of {service}: {len(findings)} known vulnerabilities")
    except Unanswered as why:
        table = tomllib.loads((ROOT / "tests/advisories.toml").read_text())
        findings = below(pinned, table["first_without"])
        told = banner(str(why), table, len(pinned))
        NOT_ASKED.parent.mkdir(exist_ok=True)
        NOT_ASKED.write_text(told)
        print(told, end="")
        print(f"{len(findings)} pins are older than the table allows")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0


def banner(why: str, table: dict[str, Any], count: int) -> str:
    """Return what must not be overlooked."""
    lines = (
        f"NO ADVISORY SERVICE ANSWERED ({why}).",
        f"Compared with the table of {table['reviewed']} alone: {len(table['first_without'])} of {count} packages.",
        "Newer advisories are unknown. Run `make audit-dependencies` where the network is open.",
    )
    return "".join(f"!!! {line}\n" for line in lines)


def pins(texts: Iterable[str]) -> dict[str, Version]:
    """Return the version of each package, by its normalised name."""
    found = (match for text in texts for match in _PIN.finditer(text))
    return {re.sub(r"[-_.]+", "-", match[1]).lower(): Version(match[2]) for match in found}


def below(pinned: dict[str, Version], first_without: dict[str, list[str]]) -> list[str]:
    """Return a line for each pin that is older than the first version without a known vulnerability."""
    return [
        f"{name} {pinned[name]}: fixed in {fixed} ({why})"
        for name, (fixed, why) in first_without.items()
        if name in pinned and pinned[name] < Version(fixed)
    ]


def asked() -> tuple[str, list[str]]:
    """Return the service that answered and its findings; raises Unanswered when none knows every package."""
    reasons = []
    for service in SERVICES:
        try:
            return service, [line for name in LISTS for line in _ask(service, name)]
        except Unanswered as why:
            reasons.append(f"{service}: {why}")
    raise Unanswered("; ".join(reasons))


def _ask(service: str, name: str) -> list[str]:
    command = [sys.executable, "-m", "pip_audit", "-f", "json", "-s", service, "--progress-spinner", "off"]
    command += ["--require-hashes", "--disable-pip", "-r", str(ROOT / name)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SERVICE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unanswered(f"no answer in {SERVICE_SECONDS} s") from error
    return read(done.stdout, done.stderr)


def read(output: str, errors: str) -> list[str]:
    """Return a line for each vulnerability in pip-audit's JSON; raises Unanswered when it could not ask of each."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError) as error:
        last = errors.strip().splitlines()
        raise Unanswered(last[-1].partition(":")[0] if last else "no output") from error
    skipped = [package for package in packages if "skip_reason" in package]
    if skipped or not packages:
        raise Unanswered(f"it knows nothing of {len(skipped)} of {len(packages)} packages")
    return [_finding(package, one) for package in packages for one in package["vulns"]]


def _finding(package: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}"


if __name__ == "__main__":
    sys.exit(main())
