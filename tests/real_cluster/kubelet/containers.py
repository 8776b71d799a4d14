"""One container: its process, its restarts with back-off, and its status in the API's words."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.real_cluster.kubelet.environment import CannotConfigure
from tests.real_cluster.kubelet.images import Image
from tests.real_cluster.kubelet.probes import Probe

FIRST_BACK_OFF, LONGEST_BACK_OFF = 10.0, 300.0
PULL_AGAIN_SECONDS = 1.0
LAST_LINES, LAST_BYTES = 80, 2048  # what a termination message takes from the log

# Starts the image's program with the container's environment, its output in the file; raises CannotConfigure.
Launcher = Callable[[dict[str, Any], Image, Path], "subprocess.Popen[bytes]"]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Container:
    """A container of a pod. `step` brings it forward and never waits."""

    def __init__(self, spec: dict[str, Any], image: Image, logs: Path, launch: Launcher, pod: str) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.is_ready = False
        self.process: subprocess.Popen[bytes] | None = None
        self._image = image
        self._logs = logs
        self._launch = launch
        self._pod = pod  # as the back-off's message names it
        self._probe: Probe | None = None
        self._restarts = 0
        self._back_off = 0.0
        self._next_start = 0.0
        self._started = ""
        self._state: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
        self._last: dict[str, Any] = {}

    def log(self, *, previous: bool = False) -> Path:
        """Where the running life's output is, or the one's before."""
        return self._logs / f"{self.name}.{self._restarts - previous}.log"

    def step(self, address: str) -> None:
        """Start it when it is time to, note its end, ask its readiness probe."""
        if self.process is None:
            if time.monotonic() >= self._next_start:
                self._start(address)
        elif self.process.poll() is not None:
            self._note_end(self.process.returncode)
            self._plan_restart()
        elif self._probe:
            self.is_ready = self._probe.is_ready()

    def stop(self) -> None:
        """Ask it to end."""
        if self.process:
            self.process.terminate()

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def has_ended(self) -> bool:
        """Whether it runs no more; its status says how it ended, and nothing starts it again."""
        if self.process and self.process.poll() is not None:
            self._note_end(self.process.returncode)
        return self.process is None

    def status(self) -> dict[str, Any]:
        """Return its entry of the pod's containerStatuses."""
        is_running = "running" in self._state
        return {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": "" if self._image.refusal else self._image.digest,
            "ready": self.is_ready and is_running,
            "started": is_running,
            "restartCount": self._restarts,
            "state": self._state,
            "lastState": self._last,
        }

    def _start(self, address: str) -> None:
        if self._image.refusal:
            self._refuse()
            return
        if self._last or "terminated" in self._state:
            self._restarts += 1
        try:
            self.process = self._launch(self.spec, self._image, self.log())
        except CannotConfigure as error:
            self._state = {"waiting": {"reason": "CreateContainerConfigError", "message": str(error)}}
            self._next_start = time.monotonic() + FIRST_BACK_OFF
            return
        self._started = now()
        self._state = {"running": {"startedAt": self._started}}
        wanted = self.spec.get("readinessProbe")
        self._probe = Probe(wanted, address) if wanted else None
        self.is_ready = wanted is None

    def _refuse(self) -> None:
        """First the error, then the back-off, which both are states that people meet."""
        if self._state.get("waiting", {}).get("reason") == "ContainerCreating":
            self._state = {"waiting": {"reason": "ErrImagePull", "message": self._image.refusal}}
            self._next_start = time.monotonic() + PULL_AGAIN_SECONDS
        else:
            message = f'Back-off pulling image "{self._image.name}": ErrImagePull: {self._image.refusal}'
            self._state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
            self._next_start = time.monotonic() + LONGEST_BACK_OFF

    def _note_end(self, code: int) -> None:
        code = 128 - code if code < 0 else code  # ended by a signal
        message = self._last_words() if code and self._tells_its_log() else ""
        self._state = {
            "terminated": {
                "exitCode": code,
                "reason": "Error" if code else "Completed",
                "startedAt": self._started,
                "finishedAt": now(),
                **({"message": message} if message else {}),
            }
        }
        self.process, self._probe, self.is_ready = None, None, False

    def _plan_restart(self) -> None:
        """The first restart comes at once, the next after 10 s, then 20 s, and so on, as a kubelet's do."""
        ended = self._state
        if self._back_off:
            message = f"back-off {self._back_off:.0f}s restarting failed container={self.name} pod={self._pod}"
            self._state, self._last = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}, ended
        else:
            self._last = ended
        self._next_start = time.monotonic() + self._back_off
        self._back_off = min(max(FIRST_BACK_OFF, self._back_off * 2), LONGEST_BACK_OFF)

    def _tells_its_log(self) -> bool:
        return self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"

    def _last_words(self) -> str:
        lines = self.log().read_text(errors="replace").splitlines(keepends=True)[-LAST_LINES:]
        return "".join(lines)[-LAST_BYTES:]
