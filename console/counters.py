"""What each web process counts and times itself, for /metrics: sign-ins, refusals, requests.

None of it is in the database, so that replicas are added up. Processes that share a port keep these counts in files of
one folder (console.counter_files), and whichever of them is asked reports for all. No label has a value that a person
or a client chooses.
"""

import os
from collections.abc import Iterable
from enum import StrEnum
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from console.counter_files import FOLDER

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds

disable_created_metrics()  # type: ignore[no-untyped-call]  # files do not keep them, and one process should not report more than several
REGISTRY = CollectorRegistry()


class SignInMethod(StrEnum):
    """How somebody signed in or tried to. `second-factor`: the password or the provider was right, the code was not."""

    PASSWORD = "password"  # noqa: S105  the word for it
    PASSKEY = "passkey"
    SINGLE_SIGN_ON = "single-sign-on"
    SECOND_FACTOR = "second-factor"
    LINK = "link"  # of an invitation, of a forgotten password, of the first administrator


class Refused(StrEnum):
    """Why an attempt was refused, where it was not for a permission (whose name is the label then)."""

    FROZEN = "frozen"
    LOCKED = "locked"
    OWN_CHANGE = "own-change"
    SEPARATED = "separated"
    RULE = "rule"  # of access: the last owner, more than one holds
    TOKEN = "token"  # noqa: S105  the word for it


SIGN_INS = Counter("sluice_sign_ins", "Sign-ins by method; refused ones too.", ["method", "outcome"], registry=REGISTRY)
REFUSALS = Counter(
    "sluice_refusals",
    "Attempts that were refused, by the missing permission or another reason; repeats too.",
    ["reason"],
    registry=REGISTRY,
)
API_SECONDS = Histogram(
    "sluice_api_request_duration_seconds",
    "How long requests to the API took.",
    ["route", "method", "status_class"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
PAGE_SECONDS = Histogram(
    "sluice_page_request_duration_seconds",
    "How long requests for pages took; of an event stream, until it began.",
    ["method", "status_class"],
    buckets=BUCKETS,
    registry=REGISTRY,
)


def begin_at_zero(permissions: Iterable[str]) -> None:
    """Report every sign-in and refusal that is possible from the first scrape on: growth is measured from there."""
    for method, outcome in product(SignInMethod, ("succeeded", "refused")):
        SIGN_INS.labels(method.value, outcome)
    for reason in (*permissions, *Refused):
        REFUSALS.labels(str(reason))


def of_all_processes() -> Collector:
    """Return the counts of all processes that share this one's port."""
    if os.environ.get(FOLDER):
        return MultiProcessCollector(None)  # type: ignore[no-untyped-call]  # the library has no type here
    return REGISTRY
