"""The labels of services, for grants with a selector. The mirror knows them; console.web connects it at start."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from console.knative.references import ServiceRef

Labels = Mapping[str, str]


class UnknownLabels(Mapping[str, str]):
    """The labels of a service that cannot be read at the moment: raises `why` as soon as a decision depends on them."""

    def __init__(self, why: Exception) -> None:
        self._why = why

    def __bool__(self) -> bool:
        return True  # not "no labels"

    def __getitem__(self, key: str) -> str:
        raise self._why

    def __iter__(self) -> Iterator[str]:
        raise self._why

    def __len__(self) -> int:
        raise self._why


_source: Callable[[ServiceRef], Labels] | None = None
_services: Callable[[], Iterable[tuple[ServiceRef, Labels]]] | None = None
_failures: tuple[type[Exception], ...] = ()
_many: Callable[[], Callable[[ServiceRef], Labels]] | None = None


def connect(
    source: Callable[[ServiceRef], Labels],
    services: Callable[[], Iterable[tuple[ServiceRef, Labels]]] | None = None,
    failures: tuple[type[Exception], ...] = (),
    many: Callable[[], Callable[[ServiceRef], Labels]] | None = None,
) -> None:
    """Let the functions below ask these; `failures` are what they raise when labels cannot be read."""
    global _source, _services, _failures, _many
    _source, _services, _failures, _many = source, services, failures, many


def labels_of(ref: ServiceRef) -> Labels:
    """Return the labels of the service; none while nothing is connected, so that selectors match nothing.

    They may be UnknownLabels, which raise one of the failures only where a selector asks for them.
    """
    return _source(ref) if _source else {}


def labels_of_many() -> Callable[[ServiceRef], Labels]:
    """Return what answers as `labels_of` does, as of the moment of its first answers: each cluster is read once."""
    return _many() if _many else labels_of


def labels_if_known(ref: ServiceRef) -> Labels:
    """Return the labels of the service, none when they cannot be read: for what must not fail over them."""
    try:
        return dict(labels_of(ref))
    except _failures:
        return {}


def services() -> Iterable[tuple[ServiceRef, Labels]]:
    """Return every service that there is now, with its labels."""
    return _services() if _services else ()
