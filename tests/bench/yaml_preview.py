"""What does the preview of one YAML of 210 kB cost the web process, by the shape of the manifest?

    python -m tests.bench.yaml_preview [kilobytes] [at once]

Starts the whole console, sends each shape once over HTTP, prints the seconds of CPU that web spent on it and the peak
of its memory; then sends the dearest shape many times at once.
"""

from __future__ import annotations

import http.cookiejar
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console import kubectl_yaml
from tests.console_process import ROOT, RunningConsole, console

COOKIE, CSRF = "sluice_session", "sluice_csrf"
TOKEN = "b" * 32
SERVICE = "hello"
WAIT = 600.0  # seconds for one answer
TICKS = os.sysconf("SC_CLK_TCK")
SIGN_IN = f"""
from django.test import Client
from console.access.models import User
client = Client(headers={{"host": "localhost"}})
client.force_login(User.objects.create_superuser("bench"))
print(client.cookies["{COOKIE}"].value)
"""


def manifest(**pod: Any) -> dict[str, Any]:
    container = {"image": "ghcr.io/knative/helloworld-go:latest", "name": "app"}
    template = {"metadata": {}, "spec": {"containers": [container], **pod}}
    metadata = {"name": SERVICE, "namespace": "default"}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"template": template},
    }


def variables(number: int) -> dict[str, Any]:
    made = manifest()
    env = [{"name": f"VARIABLE_{at}", "value": f"value-{at}-0123456789"} for at in range(number)]
    made["spec"]["template"]["spec"]["containers"][0]["env"] = env
    return made


def containers(number: int) -> dict[str, Any]:
    return manifest(containers=[{"image": "a", "name": f"c{at}"} for at in range(number)])


def annotations(number: int) -> dict[str, Any]:
    made = manifest()
    made["metadata"]["annotations"] = {f"example.com/a{at}": f"text {at}" for at in range(number)}
    return made


def arguments(number: int) -> dict[str, Any]:
    made = variables(number // 2)
    made["spec"]["template"]["spec"]["containers"][0]["args"] = [f"--flag-{at}=x" for at in range(number // 2)]
    return made


def volumes(number: int) -> dict[str, Any]:
    return manifest(volumes=[{"name": f"v{at}", "secret": {"secretName": f"s{at}"}} for at in range(number)])


def nodes(number: int) -> dict[str, Any]:
    return manifest(unknown=[[] for _ in range(number)])


def masks(number: int) -> dict[str, Any]:
    return manifest(tolerations=[{"key": "••••"} for _ in range(number)], unknown=["x"] * number)


SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {
    shape.__name__: shape for shape in (variables, containers, annotations, arguments, volumes, nodes, masks)
}


def of_size(shape: Callable[[int], dict[str, Any]], size: int) -> str:
    """The manifest of that shape whose YAML is the largest that fits into so many bytes."""
    low, high = 1, size
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(kubectl_yaml.dump(shape(middle)).encode()) <= size else (low, middle - 1)
    return kubectl_yaml.dump(shape(low))


@dataclass(frozen=True)
class Web:
    """The web process of a console, and what it has used."""

    at: RunningConsole
    session: str

    @property
    def folder(self) -> Path:
        return Path(f"/proc/{self.at.pid('web')}")

    def cpu(self) -> float:
        """Seconds."""
        fields = (self.folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak(self) -> int:
        """MB of memory that it held at most since `forget_peak`."""
        lines = (self.folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))

    def forget_peak(self) -> None:
        (self.folder / "clear_refs").write_text("5")

    def preview(self, text: str) -> tuple[int, int]:
        """Send the form, follow to the preview; returns the status of the answer and its bytes."""
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        headers = {"Cookie": f"{COOKIE}={self.session}; {CSRF}={TOKEN}", "X-CSRFToken": TOKEN}
        body = urllib.parse.urlencode({"manifest": text}).encode()
        request = urllib.request.Request(f"{self.at.url}/services/sandbox/default/{SERVICE}/yaml/", body, headers)
        try:
            with opener.open(request, timeout=WAIT) as answer:
                return answer.status, len(answer.read())
        except urllib.error.HTTPError as answer:
            return answer.code, len(answer.read())


def sign_in(at: RunningConsole) -> str:
    environment = {**os.environ, **KEY, "CONSOLE_STATE_DIR": str(at.state)}
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", SIGN_IN]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout.strip()


KEY = {"CONSOLE_SECRET_KEY": "only-for-this-measurement-" + "x" * 40}


def measure(web: Web, size: int) -> Iterator[tuple[float, str, str]]:
    """Yield (seconds of CPU, shape, YAML)."""
    for name, shape in SHAPES.items():
        text = of_size(shape, size)
        web.forget_peak()
        before, began = web.cpu(), time.monotonic()
        status, answered = web.preview(text)
        spent = web.cpu() - before
        print(f"{name:12} {len(text) // 1000:4} kB: {status}, {spent:6.2f} s of CPU, {time.monotonic() - began:6.2f} s,"
              f" peak {web.peak()} MB, answer {answered // 1000} kB", flush=True)  # fmt: skip
        yield spent, name, text


def main(kilobytes: int = 210, at_once: int = 10) -> None:
    with console(environment=KEY) as at:
        web = Web(at, sign_in(at))
        web.preview(of_size(variables, 1000))  # what is loaded once
        print(f"at rest: {web.peak()} MB")
        _, name, text = max(measure(web, kilobytes * 1000))
        before, began = web.cpu(), time.monotonic()
        web.forget_peak()
        with ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(web.preview, [text] * at_once))
        print(f"{at_once} times {name} at once: {[status for status, _ in answers]}, {web.cpu() - before:.2f} s of CPU,"
              f" {time.monotonic() - began:.2f} s, peak {web.peak()} MB")  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
