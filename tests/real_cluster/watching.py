"""List and watch, for the stand-ins: the newest objects of one kind, and a call for each change."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from tests.real_cluster.control_plane import ControlPlane

logger = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str]  # namespace, name
WATCH_SECONDS = 240
PAUSE_SECONDS = 0.2


def key_of(found: Object) -> Key:
    return found["metadata"].get("namespace", ""), found["metadata"]["name"]


class Watched:
    """A copy of one kind that a thread keeps new; `changed(object, is_gone)` is called in that thread."""

    def __init__(self, box: ControlPlane, path: str, changed: Callable[[Object, bool], None] | None = None) -> None:
        self._box = box
        self._path = path
        self._changed = changed
        self._objects: dict[Key, Object] = {}
        self._stop = threading.Event()
        self._pool = urllib3.PoolManager(
            ca_certs=str(box.ca), headers={"Authorization": f"Bearer {box.token}"}, retries=False
        )

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"watch {self._path}", daemon=True).start()

    def stop(self) -> None:
        """Take no further change. The thread ends with the watch's connection, at the latest with this process."""
        self._stop.set()

    def get(self, key: Key) -> Object | None:
        return self._objects.get(key)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                version = self._list()
                for event in self._events(version):
                    if self._stop.is_set() or event["type"] == "ERROR":
                        break
                    if event["type"] != "BOOKMARK":
                        self._take(event["object"], event["type"] == "DELETED")
            except (urllib3.exceptions.HTTPError, OSError, json.JSONDecodeError, LookupError) as error:
                # The API server is away or only starting, or the kind is not known yet: the next list tells.
                logger.info("the watch of %s begins anew: %s", self._path, error)
            self._stop.wait(PAUSE_SECONDS)

    def _list(self) -> str:
        answer = json.loads(self._pool.request("GET", self._box.url + self._path, timeout=20).data)
        found = {key_of(one): one for one in answer["items"]}
        for key in self._objects.keys() - found.keys():
            self._take(self._objects[key], is_gone=True)
        for one in found.values():
            self._take(one, is_gone=False)
        return str(answer["metadata"]["resourceVersion"])

    def _events(self, version: str) -> Iterator[Object]:
        query = f"?watch=true&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}"
        answer = self._pool.request(
            "GET",
            f"{self._box.url}{self._path}{query}",
            preload_content=False,
            timeout=urllib3.Timeout(connect=5, read=WATCH_SECONDS + 30),
        )
        rest = b""
        while piece := answer.read1(1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (json.loads(line) for line in lines if line)

    def _take(self, found: Object, is_gone: bool) -> None:
        if is_gone:
            self._objects.pop(key_of(found), None)
        else:
            self._objects[key_of(found)] = found
        if self._changed is None:
            return
        try:
            self._changed(found, is_gone)
        except Exception:
            logger.exception("%s of %s was not taken", self._path, key_of(found))  # the next change may be
