"""How what an entry tells came out."""

from enum import StrEnum


class Outcome(StrEnum):
    """`requested` is written when a change is accepted; its end is an entry of its own."""

    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
