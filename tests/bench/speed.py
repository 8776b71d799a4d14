"""How fast is this machine at the moment? So that two runs can be compared; no figure is divided by it.

    python -m tests.bench.speed

A fixed piece of work of the kind that the console does: JSON, texts, dictionaries, in one thread. A machine that others
use too differs from hour to hour by half, and figures with it.
"""

from __future__ import annotations

import json
import time

REFERENCE_MS = 25.0  # what it takes where most of docs/performance.md was measured, on a good hour
TRIES = 5
LOOPS = 1500
OBJECT = {
    "metadata": {"name": "shop", "namespace": "default", "labels": {f"label-{at}": "x" * 20 for at in range(8)}},
    "spec": {"containers": [{"name": f"c{number}", "env": [{"name": "A", "value": "1"}] * 5} for number in range(3)]},
    "status": {"conditions": [{"type": "Ready", "status": "True", "message": "all is well"}] * 4},
}


def work_ms() -> float:
    """Return the CPU milliseconds that the work takes now; the shortest of some tries."""
    return min(_once() for _ in range(TRIES)) * 1000


def _once() -> float:
    began = time.process_time()
    for number in range(LOOPS):
        read = json.loads(json.dumps({**OBJECT, "number": number}))
        words = " ".join(f"{key}={value}" for key, value in read["metadata"]["labels"].items()).upper().split("=")
        assert sorted(words, key=len)[-1].isupper()
    return time.process_time() - began


if __name__ == "__main__":
    print(f"{work_ms():.1f} ms (reference {REFERENCE_MS:g} ms)")
