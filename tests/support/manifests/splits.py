"""Traffic as people, kn and tools write it."""

from __future__ import annotations

from typing import Any

from tests.support.manifests.build import Object, service

LATEST: Object = {"latestRevision": True}


def _split(name: str, *targets: Object) -> Object:
    found = [
        {**target, "revisionName": f"{name}-{target['revisionName']}"} if "revisionName" in target else target
        for target in targets
    ]
    raw = service(name, spec={"traffic": found})
    raw["status"]["traffic"] = found
    return raw


def _to(number: int, percent: int | None = None, **more: Any) -> Object:
    share = {} if percent is None else {"percent": percent}
    return {"revisionName": f"{number:05}", "latestRevision": False, **share, **more}


MANIFESTS = (
    _split("split-pinned", _to(2, 100)),
    _split("split-order", _to(1, 30), _to(3, 30), LATEST | {"percent": 10}, _to(2, 30)),
    _split("split-tags", _to(3, 90, tag="stable"), _to(4, 10, tag="canary"), _to(4, 0, tag="next"), _to(4, tag="old")),
    _split("split-absent-percent", _to(3, 100), _to(4, tag="next"), LATEST | {"tag": "head"}),
    _split("split-untagged-zero", _to(1, 0), _to(2, 0), _to(3, 100), LATEST | {"percent": 0}),
    _split("split-gone", _to(4, 100), _to(77, 0, tag="gone")),
    _split("split-latest-twice", LATEST | {"percent": 60}, LATEST | {"percent": 40, "tag": "head"}),
    _split("split-same-twice", _to(3, 50), _to(3, 50)),
    _split("split-latest-tagged", _to(4, 100), LATEST | {"percent": 0, "tag": "latest"}),
    service("split-none"),
)
