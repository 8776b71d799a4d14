"""A Prometheus of its own on a free port, with the rules and the scrape configuration of deploy/monitoring."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.console_process import free_port
from tests.monitoring.files import FOLDER, RULES
from tests.waiting import eventually

STOP_SECONDS = 20


@dataclass(frozen=True)
class Prometheus:
    url: str

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer; raises urllib's HTTPError for an expression that Prometheus does not accept."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as response:
            return json.load(response)["data"]

    def values(self, expression: str) -> list[float]:
        return [float(each["value"][1]) for each in self.ask("query", query=expression)["result"]]

    def value(self, expression: str) -> float | None:
        """The one value of the expression, None while there is none."""
        found = self.values(expression)
        assert len(found) < 2, (expression, found)
        return found[0] if found else None


@contextmanager
def prometheus(folder: Path, targets: Sequence[str], token: str) -> Iterator[Prometheus]:
    """Start it with every interval at a second; stop it at the end."""
    config = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": list(targets)}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    (folder / "sluice.token").write_text(token)
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        group.pop("interval", None)
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "prometheus.log").open("wb") as log:
        server = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    running = Prometheus(f"http://{address}")
    try:
        eventually(lambda: _answers(running), message=(folder / "prometheus.log").read_text)
        yield running
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        finally:
            server.kill()


def _answers(running: Prometheus) -> bool:
    try:
        running.ask("status/buildinfo")
    except OSError:
        return False
    return True
