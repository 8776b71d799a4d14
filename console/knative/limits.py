"""How large a service may be made, so that one manifest keeps neither the console nor an API server busy.

What a cluster holds already may be larger: it is refused only to make it larger still. Every way in comes through
here with the preview of its change; the YAML form asks before that.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.knative.problems import Problem
from console.knative.redaction import containers

MAX_CONTAINERS = 50
MAX_VARIABLES = 5_000  # of all containers together
MAX_ENV_SOURCES = 200  # Secrets and ConfigMaps of which all keys become variables
MAX_VOLUMES = 500
MAX_MOUNTS = 1_000
MAX_ANNOTATION_BYTES = 256 * 1024  # Kubernetes' own: TotalAnnotationSizeLimitB, keys and values of one metadata
MAX_TEXT_BYTES = 128 * 1024  # of one text that is not an annotation; Linux takes no longer argument or variable
MAX_NODES = 40_000  # keys, values, lists and maps: 5,000 variables have 25,000
MAX_DEPTH = 50  # lists and maps within each other

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Limit:
    """`field` is that of the form in which it is exceeded most easily."""

    code: str
    maximum: int
    count: Callable[[Raw], int]
    field: str = ""


def exceeded(after: Raw, before: Raw) -> Problem | None:
    """Return the first limit that the service exceeds and that it did not exceed as far before, or None."""
    for limit in _LIMITS:
        count = limit.count(after)
        if count > limit.maximum and count > limit.count(before):
            return Problem(limit.code, {"count": count, "limit": limit.maximum}, field=limit.field)
    return None


def nodes(value: Any) -> int:
    """Count keys, values, lists and maps."""
    return sum(1 + len(_map(one)) for one, _depth in _walk(value))


def depth(value: Any) -> int:
    """Return the maximum nesting depth of lists and maps."""
    return max((deep for one, deep in _walk(value) if isinstance(one, Mapping | list)), default=0)


def annotation_bytes(raw: Raw) -> int:
    """Return the bytes of keys and values of the annotations, of the service's or its revision's: the larger ones."""
    return max(sum(_bytes(key) + _bytes(text) for key, text in found.items()) for found in _annotations(raw))


def longest_text(raw: Raw) -> int:
    """Return the bytes of the longest text that is not an annotation."""
    apart = [id(found) for found in _annotations(raw)]
    texts = (one for one, _depth in _walk(_own(raw), apart) if isinstance(one, str))
    return max(map(_bytes, texts), default=0)


def _walk(value: Any, apart: list[int] | None = None) -> Iterator[tuple[Any, int]]:
    """Yield (value, depth) of the value and of all in it, but for the maps `apart`; without recursion."""
    todo = [(value, 1)]
    while todo:
        one, deep = todo.pop()
        if apart and id(one) in apart:
            continue
        yield one, deep
        if isinstance(one, Mapping | list):
            todo += [(inner, deep + 1) for inner in (one.values() if isinstance(one, Mapping) else one)]


def _own(raw: Raw) -> dict[str, Any]:
    """The object without what the cluster writes."""
    own = {key: value for key, value in raw.items() if key != "status"}
    if isinstance(metadata := own.get("metadata"), Mapping):
        own["metadata"] = {key: value for key, value in metadata.items() if key != "managedFields"}
    return own


def _annotations(raw: Raw) -> list[Raw]:
    template = _map(_map(raw.get("spec")).get("template"))
    return [_map(_map(holder.get("metadata")).get("annotations")) for holder in (raw, template)]


def _entries(raw: Raw, name: str) -> int:
    """How many entries the lists of that name have in all containers."""
    return sum(len(found) for one in containers(raw) if isinstance(found := one.get(name), list))


def _volumes(raw: Raw) -> int:
    pod = _map(_map(_map(raw.get("spec")).get("template")).get("spec"))
    return len(found) if isinstance(found := pod.get("volumes"), list) else 0


def _map(value: Any) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _bytes(text: Any) -> int:
    return len(str(text).encode(errors="surrogatepass"))


_LIMITS = (
    _Limit("limit-containers", MAX_CONTAINERS, lambda raw: len(containers(raw))),
    _Limit("limit-variables", MAX_VARIABLES, lambda raw: _entries(raw, "env"), "variables"),
    _Limit("limit-env-sources", MAX_ENV_SOURCES, lambda raw: _entries(raw, "envFrom"), "env_from"),
    _Limit("limit-volumes", MAX_VOLUMES, _volumes, "mounts"),
    _Limit("limit-mounts", MAX_MOUNTS, lambda raw: _entries(raw, "volumeMounts"), "mounts"),
    _Limit("limit-annotations", MAX_ANNOTATION_BYTES, annotation_bytes, "annotations"),
    _Limit("limit-text", MAX_TEXT_BYTES, longest_text),
    _Limit("limit-nodes", MAX_NODES, lambda raw: nodes(_own(raw))),
    _Limit("limit-depth", MAX_DEPTH, lambda raw: depth(_own(raw))),
)
