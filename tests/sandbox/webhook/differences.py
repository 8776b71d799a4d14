"""Where the sandbox says something else than Serving's own webhook, case by case, with the reason."""

from __future__ import annotations

MAX_SHARE = 0.02  # of all cases

_GO_NOTATION = "a changed struct is printed in Go's notation of its type, which the sandbox only resembles"
_LIBRARIES = (
    "the API server of the sandbox is of Kubernetes 1.36, whose words differ from 1.29's that 0.42 was built with"
)
_NAMED = {"patch of a named revision 3": _GO_NOTATION, "Revision patch 4": _GO_NOTATION}

DIFFERENCES: dict[str, dict[str, str]] = {
    "1.23": {
        **_NAMED,
        "config-features 29 kubernetes.podspec-volumes-ephemeral pod 0": (
            "Go writes the empty structs of a claim's template, whose fields the sandbox does not know"
        ),
    },
    "1.15": {
        **_NAMED,
        "container.ports 17": _LIBRARIES,
        "metadata.labels 9": _LIBRARIES,
        "metadata.labels 11": _LIBRARIES,
    },
}
