"""Compiling the control plane's programs, once for each version of the module files.

.cache/cluster/bin/etcd, kube-apiserver, ..., kn: the same for every release of Knative
.cache/cluster/bin/1.23/webhook, controller, ...: those of one
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from tests.real_cluster.releases import RELEASES, chosen

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "cluster"
BIN = CACHE / "bin"
VERSION = "v1.36.3"
_COMPONENT = "k8s.io/component-base/version"
# Knative parses the API server's version and refuses one that was not stamped.
_STAMPS = {"gitVersion": VERSION, "gitMajor": "1", "gitMinor": "36", "gitCommit": "unknown"}
KUBERNETES = {
    "etcd": ["etcd"],
    "kubernetes": ["kube-apiserver", "kube-controller-manager"],
}
SERVING = ["webhook", "controller", "autoscaler", "activator", "queue"]
CLIENT = ["kn"]  # the newest of which all modules can be had: 1.15. What it does in an update has not changed since
_PACKAGE = {
    "etcd": "go.etcd.io/{}/server/v3",
    "kubernetes": "k8s.io/kubernetes/cmd/{}",
    "serving": "knative.dev/serving/cmd/{}",
    "client": "knative.dev/client/cmd/{}",
}
OLDEST_GO = (1, 26)


def build(*releases: str) -> Path:
    """Compile what is missing of Kubernetes and of these releases of Knative, and return the folder of the programs."""
    for module, programs in KUBERNETES.items():
        _build(module, programs, BIN)
    for release in releases:
        _build(f"serving/{release}", SERVING, BIN / release)
    return BIN


def kn() -> Path:
    """Compile Knative's command line unless it is there, and return it: half a minute of CPU beside the others."""
    _build("client", CLIENT, BIN)
    return BIN / "kn"


def _build(module: str, programs: list[str], folder: Path) -> None:
    """Compile the programs of one module unless they are there; says what it does and how long it took."""
    stamp = CACHE / f"{module.replace('/', '-')}.built"
    wanted = hashlib.sha256((HERE / module / "go.sum").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and all((folder / name).exists() for name in programs):
        return
    began = time.monotonic()
    print(f"compiling {module}: {', '.join(programs)} (minutes the first time) ...", flush=True)
    _compile(module, programs, folder)
    stamp.write_text(wanted)
    print(f"compiled in {time.monotonic() - began:.0f} s", flush=True)


def go() -> str:
    """Return the go command; raises RuntimeError with what to do when there is none."""
    found = shutil.which("go") or next(
        (p for p in ("/usr/local/go/bin/go", "/usr/lib/go/bin/go") if Path(p).exists()), ""
    )
    if not found:
        raise RuntimeError(
            "Go is needed to compile the control plane: install Go 1.26 (the golang-go package or go.dev)."
        )
    return found


def check_go() -> None:
    """Raise RuntimeError when Go is older than the modules ask for."""
    text = subprocess.run([go(), "env", "GOVERSION"], check=True, capture_output=True, text=True).stdout
    found = re.match(r"go(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GO:
        raise RuntimeError(f"Go {'.'.join(map(str, OLDEST_GO))} or newer is needed, found {text.strip()}.")


def module_folder(module: str, path: str) -> Path:
    """Return where the Go module `path`, required by one of our modules, lies."""
    command = [go(), "list", "-m", "-f", "{{.Dir}}", path]
    return Path(subprocess.run(command, cwd=HERE / module, check=True, capture_output=True, text=True).stdout.strip())


def _compile(module: str, programs: list[str], folder: Path) -> None:
    check_go()
    folder.mkdir(parents=True, exist_ok=True)
    flags = "-s -w " + " ".join(f"-X {_COMPONENT}.{name}={value}" for name, value in _STAMPS.items())
    # One linker at a time and a low priority: this runs beside people's work on two cores.
    command = ["nice", "-n", "10", go(), "build", "-p", str(os.cpu_count() or 2), "-trimpath", "-ldflags", flags]
    for program in programs:
        target = ["-o", str(folder / program), _PACKAGE[module.partition("/")[0]].format(program)]
        subprocess.run([*command, *target], cwd=HERE / module, check=True)


if __name__ == "__main__":
    build(*chosen(*RELEASES))
    kn()
