"""The fields of Knative's kinds in the release that the sandbox speaks as."""

from __future__ import annotations

from console.sandbox.crd import tables
from console.sandbox.crd.types import Struct
from console.sandbox.knative.version import OLDEST, knative_version


def kinds() -> dict[str, Struct]:
    """The four kinds by name."""
    return tables.kinds(is_older=knative_version() <= OLDEST)
