"""What was typed into a form whose sections are about one container at a time, for each container of the service.

The page has the fields of one container. What was typed for the others travels along as `of.CONTAINER.FIELD`, so that
the picker loses nothing and one review shows what was typed for all of them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import QueryDict

from console.web.forms.settings import SettingsForm
from console.web.forms.share import ShareForm

_CARRIED = re.compile(r"of\.([^.]*)\.(.+)", re.DOTALL)
_FRAME = frozenset({"csrfmiddlewaretoken", "container", "pick", "open", "resource_version"})
# The fields of the settings that are about the container; all others are about the whole service.
OF_CONTAINER = frozenset(
    {
        *("cpu_request", "cpu_limit", "memory_request", "memory_limit", "other_resources", "command", "arguments"),
        *("readiness", "liveness", "startup", "env_from", "mounts", "port", "protocol", "pull_policy", "user"),
    }
)
OF_SERVICE = frozenset(SettingsForm.base_fields) - OF_CONTAINER
_WHOLE = OF_SERVICE | frozenset(ShareForm.base_fields) | {"keep_digest"}


def root(name: str) -> str:
    """Return the field that an input belongs to: a field may have several inputs."""
    return name.partition("-")[0]


class TypedByContainer:
    """The inputs of the whole service, and those of each container that the person has seen."""

    def __init__(self, data: Mapping[str, Any] | None, serving: str) -> None:
        """Read what was sent; without a container it is about the `serving` one."""
        self.whole = QueryDict(mutable=True)
        self.containers: dict[str, QueryDict] = {}
        if data is None:
            return
        sent = str(data.get("container", "")) or serving
        self._of(sent)
        for name, values in _lists(data):
            self._place(sent, name, values)

    def of(self, container: str) -> QueryDict | None:
        """Return what was typed for the container; None for one that the person has not seen."""
        return self.containers.get(container)

    def carried(self, beside: str) -> Iterator[tuple[str, str]]:
        """Yield the inputs that carry what was typed for the other containers than this one."""
        for container, inputs in self.containers.items():
            if container != beside:
                yield from (
                    (f"of.{container}.{name}", str(value)) for name, values in inputs.lists() for value in values
                )

    def _place(self, sent: str, name: str, values: list[Any]) -> None:
        if name in _FRAME:
            return
        if found := _CARRIED.fullmatch(name):
            self._of(found[1]).setlist(found[2], values)
        elif root(name) in _WHOLE:
            self.whole.setlist(name, values)
        else:
            self._of(sent).setlist(name, values)

    def _of(self, container: str) -> QueryDict:
        return self.containers.setdefault(container, QueryDict(mutable=True))


def _lists(data: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(data, QueryDict):
        yield from data.lists()
    else:
        yield from ((name, [value]) for name, value in data.items())
