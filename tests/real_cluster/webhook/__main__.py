"""Record what Serving's own webhook says of all cases: python -m tests.real_cluster.webhook (needs Go)."""

from __future__ import annotations

from tests.real_cluster.webhook.asking import MODULES, verdicts
from tests.sandbox.webhook.cases import cases
from tests.sandbox.webhook.record import RECORD, write

if __name__ == "__main__":
    write({release: verdicts(release, cases()) for release in MODULES})
    print(f"recorded in {RECORD}")
