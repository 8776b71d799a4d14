"""The labels of a service, for grants with a selector. The mirror knows them; the web room connects it at start."""

from collections.abc import Callable, Mapping

from console.knative.references import ServiceRef

_source: Callable[[ServiceRef], Mapping[str, str]] | None = None


def connect(source: Callable[[ServiceRef], Mapping[str, str]]) -> None:
    """Let `labels_of` ask this function."""
    global _source  # noqa: PLW0603  set once, at start
    _source = source


def labels_of(ref: ServiceRef) -> Mapping[str, str]:
    """Return the labels of the service; none while nothing is connected, so that selectors match nothing."""
    return _source(ref) if _source else {}
