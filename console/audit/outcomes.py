"""Outcome of an audited action."""

from enum import StrEnum


class Outcome(StrEnum):
    """`requested` is written when a change is accepted; its end is a separate entry."""

    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
