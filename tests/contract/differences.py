"""Where the sandbox differs from a real cluster, case by case, with the reason: the only place for it.

test_releases.py has what differs between releases of Knative, on both.

`python -m tests.contract.differences` prints them. docs/sandbox.md tells the same to its readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.real_cluster.releases import RELEASES


@dataclass(frozen=True)
class Difference:
    """In this case the sandbox answers `sandbox`, and a real cluster what the test expects of both.

    It holds for the `releases` of Knative that the sandbox speaks as, which are all where none is named.
    """

    case: str
    sandbox: Any
    reason: str
    releases: tuple[str, ...] = tuple(RELEASES)

    def expected(self, target: str, release: str, common: Any) -> Any:
        return self.sandbox if target == "sandbox" and release in self.releases else common

    def __str__(self) -> str:
        where = "" if self.releases == tuple(RELEASES) else f" as {', '.join(self.releases)}"
        return f"{self.case}: sandbox{where} {self.sandbox!r}; {self.reason}"


DIFFERENCES: tuple[Difference, ...] = (
    Difference("own-deployment", 405, "Deployments and ReplicaSets are Knative's own: nobody else can make any"),
)
BY_CASE = {difference.case: difference for difference in DIFFERENCES}


def table() -> str:
    """The differences as text, one paragraph each."""
    return "".join(f"{one}\n" for one in DIFFERENCES) or "none\n"


if __name__ == "__main__":
    print(table(), end="")
