"""Where the sandbox differs from a real cluster, case by case, with the reason: the only place for it.

`python -m tests.contract.differences` prints them. docs/sandbox.md tells the same to its readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """In this case the sandbox answers `sandbox`, and a real cluster what the test expects of both."""

    case: str
    sandbox: Any
    reason: str

    def expected(self, target: str, common: Any) -> Any:
        return self.sandbox if target == "sandbox" else common


DIFFERENCES: tuple[Difference, ...] = (
    Difference("server-side-apply", 415, "the sandbox keeps no managed fields, which apply needs"),
    Difference("managed-fields", False, "nothing in the console reads them, and they double every object"),
    Difference("insecure-warning", False, "warnings of security contexts are not given"),
)
BY_CASE = {difference.case: difference for difference in DIFFERENCES}


def table() -> str:
    """The differences as text, one paragraph each."""
    return "".join(f"{one.case}: sandbox {one.sandbox!r}; {one.reason}\n" for one in DIFFERENCES) or "none\n"


if __name__ == "__main__":
    print(table(), end="")
