"""Addresses of fields inside an object: dictionary keys, and names for the entries of named lists.

`("spec", "template", "spec", "containers", "app", "env", "TARGET")` is the entry TARGET of the container app.
"""

import re
from collections.abc import Mapping

FieldPath = tuple[str, ...]

TEMPLATE: FieldPath = ("spec", "template")
POD_SPEC: FieldPath = (*TEMPLATE, "spec")
TRAFFIC: FieldPath = ("spec", "traffic")
TEMPLATE_ANNOTATIONS: FieldPath = (*TEMPLATE, "metadata", "annotations")
TEMPLATE_LABELS: FieldPath = (*TEMPLATE, "metadata", "labels")
REVISION_NAME: FieldPath = (*TEMPLATE, "metadata", "name")


_PART = re.compile(r"\.?([^.\[\]]+)|\['([^']*)'\]|\[([^\]]*)\]")


class Missing:
    """The placeholder for a missing field; prints as nothing."""

    def __repr__(self) -> str:
        return ""


MISSING = Missing()


def container_path(container: str, *more: str) -> FieldPath:
    """Return the path of a container of the template, or of a field inside it."""
    return (*POD_SPEC, "containers", container, *more)


def text(path: FieldPath) -> str:
    """Return the path for people: `spec.template.spec.containers[app].env[TARGET]`; keys with dots are quoted."""
    words, in_list = "", False
    for part in path:
        if in_list:
            words, in_list = f"{words}[{part}]", False  # an entry's own name, even if a list is called the same
            continue
        words += f"[{part!r}]" if "." in part or "/" in part else f".{part}" if words else part
        in_list = part in NAMED_LISTS
    return words


def read(words: str) -> FieldPath:
    """Return the path that `text` wrote."""
    return tuple(name or quoted or key for name, quoted, key in _PART.findall(words))


# Lists of the PodSpec whose entries have a name of their own (Kubernetes API, patchMergeKey).
NAMED_LISTS: Mapping[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}


def overlap(one: FieldPath, other: FieldPath) -> bool:
    """One of the paths lies within the other."""
    short = min(len(one), len(other))
    return one[:short] == other[:short]
