"""Print the share of lines that the tests ran, by layer: `python -m tests.coverage_by_layer coverage.json`."""

import json
import sys
from collections import defaultdict
from pathlib import Path


def by_layer(files: dict[str, dict[str, dict[str, int]]]) -> dict[str, tuple[int, int]]:
    """Return (lines run, lines) for each package of console/, and for its own modules under "console"."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, file in files.items():
        parts = Path(path).parts
        layer = "/".join(parts[:2]) if len(parts) > 2 else parts[0]
        counted[layer][0] += file["summary"]["covered_lines"]
        counted[layer][1] += file["summary"]["num_statements"]
    return {layer: (run, all_lines) for layer, (run, all_lines) in sorted(counted.items())}


def main() -> None:
    layers = by_layer(json.loads(Path(sys.argv[1]).read_text())["files"])
    for layer, (run, lines) in layers.items():
        print(f"{layer:<24} {run:>6} of {lines:>6} lines  {100 * run / max(lines, 1):5.1f} %")
    print(f"{'all':<24} {sum(r for r, _ in layers.values()):>6} of {sum(n for _, n in layers.values()):>6} lines")


if __name__ == "__main__":
    main()
