"""Where kubectl prints something else of the sandbox, line by line, with the reason: the only place for it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from tests.kubectl.commands import commands
from tests.kubectl.running import Outputs

SANDBOX, REAL = "sandbox", "real"


@dataclass(frozen=True)
class Difference:
    """Of the commands that match, lines that match are not compared, on that side or (without one) on both."""

    commands: str
    line: str
    reason: str
    side: str = ""
    is_rare: bool = False  # not in each run

    def leaves_out(self, command: str, line: str, side: str) -> bool:
        is_meant = self.side in ("", side) and re.search(self.commands, command)
        return bool(is_meant and re.search(self.line, line))


NO_EVENTS = "the replaced kubelet tells no events"
DIFFERENCES: tuple[Difference, ...] = (
    Difference("revision", r"imageDigest:|Image Digest:", "no registry resolves digests for the real one", SANDBOX),
    Difference("revision", r"^ +-? ?[Nn]ame: +user-container$", "beside the digest it begins another line"),
    Difference("-o yaml", r"imagePullPolicy: (Always|IfNotPresent)$", "it follows from whether a digest was resolved"),
    Difference("get events|describe pods", r"\b(kubelet|default-scheduler)\b|  pod/hello-", NO_EVENTS, SANDBOX),
    Difference("describe pods", r"^Events:|^  (Type +Reason|---- )", NO_EVENTS),
    Difference("describe pods", r"^    Container ID:", "containers without a runtime have no id"),
    Difference(
        "describe pods",
        r"^  (PodReadyToStartContainers|Initialized|Ready|ContainersReady|PodScheduled) +True$",
        "the replaced kubelet has another order of conditions and leaves one out",
    ),
    Difference("describe svc", r"^Endpoints:", "the sandbox has no Endpoints"),
    Difference("version", r"^Server Version: v1\.36\.3", "the sandbox's version says what it is"),
    Difference("api-resources", r"^domainmappings ", "the sandbox has no DomainMappings", REAL),
    Difference(
        "api-resources -o wide",
        r"^(nodes|limitranges|resourcequotas|deployments|replicasets) .* get,list,watch\b",
        "only Knative makes these in the sandbox",
        SANDBOX,
    ),
    Difference(
        "get events|describe",
        r"the object has been modified|FinalizerUpdateFailed|UpdateFailed|InternalError",
        "controllers of a real cluster get into each other's way now and then",
        is_rare=True,
    ),
)


def disagreements(real: Outputs, other: Outputs, side: str = SANDBOX) -> dict[str, list[str]]:
    """By command what differs: -lines of the real one, +lines of the other, which may be a real one as well."""
    in_part = {each.text for each in commands() if each.is_part}
    found = {}
    for command, lines in other.items():
        expected, printed = compared(command, real[command], REAL), compared(command, lines, side)
        if command in in_part:
            differing = [f"+{line}" for line in printed if line not in expected]
        else:
            differing = [line for line in difflib.unified_diff(expected, printed, lineterm="", n=0) if line[:2] != "@@"]
            differing = [line for line in differing if line not in ("--- ", "+++ ")]
        if differing:
            found[command] = differing
    return found


def compared(command: str, lines: list[str], side: str) -> list[str]:
    """The lines that are compared."""
    return [line for line in lines if not any(each.leaves_out(command, line, side) for each in DIFFERENCES)]
