"""People who ask for the list again and again, as fast as the answers come: the load for tests.bench.pages.

    COOKIES="..." python -m tests.bench.page_load URL SECONDS

One person for each cookie, each over a connection that stays open. Prints the seconds of every whole answer as JSON.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from tests.bench.stream_backends import COOKIE

WAIT = 60.0  # seconds for one answer


def person(url: str, session: str, until: float) -> list[float]:
    where, seconds = urlsplit(url), []
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=WAIT)
    headers = {"Cookie": f"{COOKIE}={session}", "Accept-Encoding": "gzip, br", "Accept": "text/html"}
    while (began := time.monotonic()) < until:
        connection.request("GET", "/", headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the list was answered {answer.status}")
        seconds.append(time.monotonic() - began)
    return seconds


def main(url: str, seconds: float) -> None:
    sessions, until = os.environ["COOKIES"].split(), time.monotonic() + seconds
    with ThreadPoolExecutor(len(sessions)) as pool:
        found = pool.map(lambda session: person(url, session, until), sessions)
        print(json.dumps([one for of_person in found for one in of_person]))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
