"""Asking Serving's own code: compiling the program beside this module for a release, and sending it cases."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.real_cluster import programs
from tests.sandbox.webhook.asking import line
from tests.sandbox.webhook.cases import Case

HERE = Path(__file__).parent
MODULES = {"1.23": "go.mod", "1.15": "go-1.15.mod"}
_DEFINITIONS = Path("config", "core", "300-resources")


def verdicts(release: str, cases: Sequence[Case]) -> dict[str, str]:
    """What Serving's code of the release says of each case, as it is recorded."""
    asked = "".join(
        json.dumps({"kind": case.kind, "create": case.create, "patch": case.patch, "configuration": case.configuration})
        + "\n"
        for case in cases
    )
    definitions = _serving(release) / _DEFINITIONS
    done = subprocess.run([build(release), definitions], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(each) for each in done.stdout.splitlines()]
    return {
        case.name: line(answer["code"], answer.get("message", ""), answer.get("object"))
        for case, answer in zip(cases, answers, strict=True)
    }


def build(release: str) -> Path:
    """Compile the program unless it is there, and return it."""
    programs.check_go()
    program, module = programs.BIN / release / "judge", HERE / MODULES[release]
    stamp = programs.CACHE / f"judge-{release}.built"
    sources = [*sorted(HERE.glob("*.go")), module, module.with_suffix(".sum")]
    wanted = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if not (program.exists() and stamp.exists() and stamp.read_text() == wanted):
        program.parent.mkdir(parents=True, exist_ok=True)
        command = [programs.go(), "build", f"-modfile={module.name}", "-trimpath", "-o", str(program), "."]
        subprocess.run(["nice", "-n", "10", *command], cwd=HERE, check=True)
        stamp.write_text(wanted)
    return program


def _serving(release: str) -> Path:
    """The folder of Serving's module."""
    command = [programs.go(), "list", f"-modfile={MODULES[release]}", "-m", "-f", "{{.Dir}}", "knative.dev/serving"]
    return Path(subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True).stdout.strip())
