"""Running the commands against one cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.kubectl.commands import Command
from tests.kubectl.plain import plain_lines
from tests.waiting import eventually

Outputs = dict[str, list[str]]
COMMAND_SECONDS = 150  # `kubectl wait` waits for 120


def outputs(config: Path, commands: Iterable[Command]) -> Outputs:
    """What each printed: how it ended, then its lines, errors and warnings last. The same text again is numbered."""
    found: Outputs = {}
    for command in commands:
        key, number = command.text, 1
        while key in found:
            number += 1
            key = f"{command.text} ({number})"
        found[key] = _output(config, command)
    return found


def minor_version() -> str:
    """Of kubectl, as 1.32: another one prints in another way."""
    done = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout)["clientVersion"]
    return f"{facts['major']}.{facts['minor'].rstrip('+')}"


def _output(config: Path, command: Command) -> list[str]:
    def run() -> list[str] | None:
        code, printed = _run(config, command)
        lines = plain_lines(printed, is_about_fields=command.is_about_fields, is_unordered=command.is_unordered)
        return [f"exit code {code}", *lines] if command.until in printed else None

    return eventually(run, timeout=60, message=f"kubectl {command.text}: no {command.until}")


def _run(config: Path, command: Command) -> tuple[int, str]:
    environment = {**os.environ, "KUBECONFIG": str(config), "HOME": str(config.parent)}
    done = subprocess.run(
        ["kubectl", *command.arguments],
        input=command.given,
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    return done.returncode, done.stdout + done.stderr
