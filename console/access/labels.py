"""The labels of services, for grants with a selector. The mirror knows them; the web room connects it at start."""

from collections.abc import Callable, Iterable, Mapping

from console.knative.references import ServiceRef

Labels = Mapping[str, str]

_source: Callable[[ServiceRef], Labels] | None = None
_services: Callable[[], Iterable[tuple[ServiceRef, Labels]]] | None = None
_failures: tuple[type[Exception], ...] = ()


def connect(
    source: Callable[[ServiceRef], Labels],
    services: Callable[[], Iterable[tuple[ServiceRef, Labels]]] | None = None,
    failures: tuple[type[Exception], ...] = (),
) -> None:
    """Let the functions below ask these; `failures` are what they raise when the labels cannot be told now."""
    global _source, _services, _failures
    _source, _services, _failures = source, services, failures


def labels_of(ref: ServiceRef) -> Labels:
    """Return the labels of the service; none while nothing is connected, so that selectors match nothing."""
    return _source(ref) if _source else {}


def labels_if_known(ref: ServiceRef) -> Labels:
    """Return the labels of the service, none when they cannot be told: for what must not fail over them."""
    try:
        return labels_of(ref)
    except _failures:
        return {}


def services() -> Iterable[tuple[ServiceRef, Labels]]:
    """Return every service that there is now, with its labels."""
    return _services() if _services else ()
