"""Which form is tried with which manifest and container. `make test` takes a sample, `make test-guard` all."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.support.manifests import BY_NAME, Object
from tests.sweeps import IS_WHOLE

ALWAYS = "deploy-containers-three-volumes"  # the form that holds the others, of several containers, is in each sample
ONE_IN = 80  # cases of the sample, chosen by their names: everybody tries the same


@dataclass(frozen=True, slots=True)
class Case:
    """A page, which of its forms, a manifest, and the container that the page is about."""

    page: str
    manifest: str
    container: str = ""
    number: int = 0

    def __str__(self) -> str:
        which = f"#{self.number}" if self.number else ""
        return f"{self.page}{which}-{self.manifest}" + (f"-{self.container}" if self.container else "")

    @property
    def raw(self) -> Object:
        return BY_NAME[self.manifest]


def container_names(raw: Object) -> list[str]:
    return [container["name"] for container in raw["spec"]["template"]["spec"]["containers"]]


def serving(raw: Object) -> str:
    """The container that takes requests: the one with a port, or the only one."""
    found = raw["spec"]["template"]["spec"]["containers"]
    return next((one["name"] for one in found if one.get("ports")), found[0]["name"])


def of_service(page: str, number: int = 0) -> list[Case]:
    return [Case(page, name, number=number) for name in BY_NAME]


def of_containers(page: str) -> list[Case]:
    return [Case(page, name, container) for name, raw in BY_NAME.items() for container in container_names(raw)]


def chosen(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """The decorator that runs a test for each case, or for the sample of them."""
    sample = [case for case in cases if IS_WHOLE or _is_in_sample(str(case))]
    return pytest.mark.parametrize("case", sample or cases[:1], ids=str)


def _is_in_sample(name: str) -> bool:
    return name == ALWAYS or zlib.crc32(name.encode()) % ONE_IN == 0
