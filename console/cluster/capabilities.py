"""Asking a cluster what its Knative is and allows: the config maps of Serving, and the labels of its release."""

from typing import Any

from console.cluster.errors import Forbidden, NotFound
from console.cluster.gateway import VERSION_LABEL, Gateway
from console.knative.capabilities import CONFIG_MAPS, Capabilities

SYSTEM = "knative-serving"
MAX_VALUE = 1000  # characters; nothing longer is a setting that the console knows


def read_capabilities(gateway: Gateway) -> Capabilities:
    """Return them; what may not be read, or is not there, is unknown. Raises ClusterError when nothing is answered."""
    found = {name: _config_map(gateway, name) for name in CONFIG_MAPS}
    labels = ((raw.get("metadata") or {}).get("labels") or {} for raw in found.values() if raw)
    release = next((str(each[VERSION_LABEL]) for each in labels if each.get(VERSION_LABEL)), "")
    settings = {name: None if raw is None else _settings(raw) for name, raw in found.items()}
    return Capabilities(release or _of_namespace(gateway), settings)


def _config_map(gateway: Gateway, name: str) -> dict[str, Any] | None:
    try:
        return gateway.config_map_object(SYSTEM, name)
    except (Forbidden, NotFound):
        return None


def _of_namespace(gateway: Gateway) -> str:
    try:
        return gateway.knative_version()
    except Forbidden:
        return ""


def _settings(raw: dict[str, Any]) -> dict[str, str]:
    """The data, without the examples and checksums that an installation brings along."""
    data = (raw.get("data") or {}).items()
    return {key: str(text) for key, text in data if not key.startswith("_") and len(str(text)) <= MAX_VALUE}
