"""Who did what when in the two weeks before the demo starts. It ends with the services as the sandbox is seeded.

console/sandbox/knative/seed_demo.py has the same revisions with the same ages; tests/demo holds both together.
"""

from dataclasses import dataclass
from datetime import timedelta

from console.operations.models.statuses import Status

Split = tuple[tuple[str, int, str], ...]  # number of the revision or @latest, percent, tag
LATEST: Split = (("@latest", 100, ""),)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that `who` did to a service (`namespace/name`) so many days ago."""

    days: float
    who: str
    service: str
    reason: str = ""

    @property
    def ago(self) -> timedelta:
        return timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Release(Event):
    """A change of the template, which made the revision of this number."""

    revision: int = 1
    status: Status = Status.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Route(Event):
    """A change of the split."""

    split: Split = LATEST


@dataclass(frozen=True, slots=True)
class NotWritten(Event):
    """A change of the variable LOG_LEVEL that ended before it was written."""

    status: Status = Status.CONFLICTED


@dataclass(frozen=True, slots=True)
class Requests(Event):
    """Requests sent to a service; `failed` of them did not get an answer."""

    count: int = 100
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Note(Event):
    """An entry of the log alone."""

    action: str = ""
    text: str = ""


# The split of each service before the first change of it in the script, where it was not all to @latest.
SPLITS_BEFORE: dict[str, Split] = {
    "shop/storefront": (("3", 100, "current"), ("3", 0, "stable"), ("1", 0, "last-winter")),
    "shop/search": (("2", 100, ""),),
}
_GREETER, _CART, _STOREFRONT = "default/greeter", "shop/cart", "shop/storefront"
DEPLOYER, ADMIN, VIEWER = "deployer", "admin", "viewer"


def _greeter(old: int, new: int) -> Split:
    return tuple((number, percent, "") for number, percent in (("1", old), ("2", new)) if percent)


EVENTS: tuple[Event, ...] = (
    Note(14.0, "", "", action="outside.begin", text="16 services"),
    Note(13.9, ADMIN, "", action="session.sign-in"),
    Note(13.4, DEPLOYER, "", action="session.sign-in"),
    Route(13.0, DEPLOYER, _GREETER, "Keep Go while Rust is tried", split=_greeter(100, 0)),
    Release(12.6, DEPLOYER, _CART, revision=5),
    Release(12.0, DEPLOYER, _GREETER, "Try the Rust image", revision=2, status=Status.NOT_SERVING),
    Requests(11.6, DEPLOYER, _GREETER),
    Route(11.5, DEPLOYER, _GREETER, split=_greeter(90, 10)),
    Requests(11.4, DEPLOYER, _GREETER),
    Release(11.1, DEPLOYER, _CART, "Quieter logs", revision=6),
    Note(10.2, VIEWER, "", action="session.sign-in"),
    Note(10.1, VIEWER, _STOREFRONT, action="deploy.refused", text="GET /services/sandbox/shop/storefront/deploy/"),
    Release(9.4, DEPLOYER, _CART, "1.2.1 fixes the totals", revision=7),
    Route(9.2, DEPLOYER, _GREETER, split=_greeter(75, 25)),
    Requests(9.1, VIEWER, _GREETER),
    NotWritten(8.2, DEPLOYER, _CART),
    Note(7.5, ADMIN, _CART, action="reveal.Env"),
    Release(7.3, DEPLOYER, _CART, revision=8),
    Release(7.0, ADMIN, "data/warehouse-sync", revision=1),
    Route(6.9, DEPLOYER, _GREETER, split=_greeter(50, 50)),
    Requests(6.8, DEPLOYER, _GREETER),
    Requests(5.1, DEPLOYER, _GREETER, failed=7),
    Route(5.0, ADMIN, _GREETER, "Errors under load; back to Go", split=_greeter(100, 0)),
    Requests(4.9, ADMIN, _GREETER),
    Release(4.0, DEPLOYER, "team-a/notifications", "Mail instead of chat", revision=2),
    Release(3.0, DEPLOYER, _CART, "Larger carts", revision=9),
    Requests(2.95, DEPLOYER, _CART, count=50),
    Route(2.9, DEPLOYER, _GREETER, "Memory limit raised; second try", split=_greeter(90, 10)),
    Requests(2.8, DEPLOYER, _GREETER),
    Release(2.0, DEPLOYER, _STOREFRONT, "4.2.0", revision=4, status=Status.NOT_SERVING),
    Route(
        1.5,
        DEPLOYER,
        _STOREFRONT,
        "Canary",
        split=(("3", 90, "current"), ("3", 0, "stable"), ("4", 10, "candidate"), ("1", 0, "last-winter")),
    ),
    Requests(1.4, DEPLOYER, _STOREFRONT, count=200),
    Release(1.0, DEPLOYER, "shop/search", "Synonyms", revision=3, status=Status.NOT_SERVING),
    Route(0.9, DEPLOYER, _GREETER, split=(("1", 50, ""), ("@latest", 50, ""))),
    Requests(0.8, DEPLOYER, _GREETER),
    Release(0.5, DEPLOYER, "team-a/image-resizer", revision=1, status=Status.FAILED),
    Release(0.2, DEPLOYER, "shop/recommendations", "Retrained model", revision=2, status=Status.FAILED),
)
