"""How large and how fast is the page of variables, by the number of variables?

    python -m tests.bench.variables_page [variables ...]

Starts the whole console, puts a service with so many variables into the sandbox and loads the page 15 times. For each
number, and for the answer to a filter: bytes as sent and unpacked, fields, buttons, and the CPU of the web process in
ms, which other work on the machine does not change much.
"""

from __future__ import annotations

import gzip
import http.client
import json
import sys
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from tests.bench.yaml_preview import COOKIE, CSRF, KEY, TOKEN, Web, manifest, sign_in
from tests.console_process import RunningConsole, console
from tests.waiting import eventually

ROUNDS = 15
NUMBERS = (3, 200, 2000)


@dataclass(frozen=True)
class Answer:
    status: int
    sent: int  # bytes, packed
    text: str


class Controls(HTMLParser):
    """Counts what a page makes a browser build for its forms; templates are inert."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.inert = 0
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inert += tag == "template"
        if not self.inert:
            self.found["field" if tag in ("input", "select", "textarea") else tag] += 1

    def handle_endtag(self, tag: str) -> None:
        self.inert -= tag == "template"


def create(at: RunningConsole, name: str, number: int) -> None:
    """Put the service into the sandbox, and wait for the mirror."""
    box = json.loads((at.state / "sandbox.json").read_text())
    service: dict[str, Any] = manifest()
    service["metadata"]["name"] = name
    container = service["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": f"VARIABLE_{place:04}", "value": f"value {place}"} for place in range(number)]
    headers = {"Authorization": f"Bearer {box['token']}", "Content-Type": "application/json"}
    address = f"{box['url']}/apis/serving.knative.dev/v1/namespaces/default/services"
    request = urllib.request.Request(address, json.dumps(service).encode(), headers)
    urllib.request.urlopen(request, timeout=60).close()


def ask(at: RunningConsole, session: str, path: str, data: dict[str, str] | None = None) -> Answer:
    parts = urllib.parse.urlsplit(at.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    headers = {"Cookie": f"{COOKIE}={session}; {CSRF}={TOKEN}", "X-CSRFToken": TOKEN, "Accept-Encoding": "gzip"}
    headers |= {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"} if data else {}
    body = urllib.parse.urlencode(data) if data else None
    connection.request("POST" if data else "GET", path, body, headers)
    response = connection.getresponse()
    packed = response.read()
    is_packed = response.headers.get("Content-Encoding") == "gzip"
    return Answer(response.status, len(packed), (gzip.decompress(packed) if is_packed else packed).decode())


def report(what: str, web: Web, path: str, data: dict[str, str] | None = None) -> None:
    before = web.cpu()
    last = [ask(web.at, web.session, path, data) for _ in range(ROUNDS)][-1]
    spent = (web.cpu() - before) / ROUNDS
    found = Controls(last.text).found
    packed = last.sent if last.sent < len(last.text) else len(gzip.compress(last.text.encode()))
    print(
        f"{what:24} {last.status}: {len(last.text.encode()) / 1000:7.1f} kB, {last.sent / 1000:6.1f} kB sent"
        f" ({packed / 1000:5.1f} kB as gzip), {found['field']:5} fields, {found['button']:5} buttons,"
        f" {spent * 1000:6.1f} ms"
    )


def measure(web: Web, number: int) -> None:
    name = f"many-{number}"
    create(web.at, name, number)
    path = f"/services/sandbox/default/{name}/env/"
    eventually(lambda: ask(web.at, web.session, path).status == 200, timeout=60)
    report(f"{number} variables", web, path)
    typed = {"rows": str(number), "container": "app", "filter": f"_{number - 1}", "row": "filter"}
    report(f"{number}, filtered", web, path, typed)


def main(numbers: list[int]) -> None:
    with console(environment=KEY) as at:
        web = Web(at, sign_in(at))
        for number in numbers:
            measure(web, number)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or list(NUMBERS))
