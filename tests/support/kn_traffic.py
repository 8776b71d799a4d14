"""How kn edits the targets of a split, one flag after another (pkg/traffic/compute.go)."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.kn_arguments import KnRefused
from tests.support.kn_meaning import Json


def shares(texts: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        reference, percent = pair(text)
        percent = percent.removesuffix("%")
        if reference in found or not percent.isdecimal() or int(percent) > 100:
            raise KnRefused(f"--traffic {text}")
        found[reference] = int(percent)
    if found and sum(found.values()) != 100:
        raise KnRefused("not modelled: kn fills up what is missing to 100")
    return found


def pair(text: str) -> tuple[str, str]:
    parts = text.split("=")
    if len(parts) == 1:
        return "@latest", parts[0]
    if len(parts) != 2 or not all(parts):
        raise KnRefused(f"expecting value1=value2, given {text}")
    return parts[0], parts[1]


def find(targets: list[Json], field: str, value: object) -> Json | None:
    return next((target for target in targets if target.get(field, "") == value), None)


def tag(targets: list[Json], name: str, tag: str) -> None:
    taken = find(targets, "tag", tag)
    if name == "@latest":
        latest = find(targets, "latestRevision", True)
        if latest is not None and latest.get("tag", "") == tag:
            return
        if taken is not None or (latest is not None and latest.get("tag")):
            raise KnRefused("refusing to overwrite existing tag")
        if latest is None:
            targets.append({"latestRevision": True, "percent": 0, "tag": tag})
        else:
            latest["tag"] = tag
        return
    if any(one.get("tag", "") == tag and one.get("revisionName", "") == name for one in targets):
        return
    if taken is not None:
        raise KnRefused("refusing to overwrite existing tag")
    first = find(targets, "revisionName", name)
    if first is not None and not first.get("tag"):
        first["tag"] = tag
    else:
        targets.append({"latestRevision": False, "revisionName": name, "percent": 0, "tag": tag})


def give(targets: list[Json], reference: str, percent: int) -> None:
    if reference == "@latest":
        target = find(targets, "latestRevision", True)
        made: Json = {"latestRevision": True, "percent": percent}
    else:
        target = find(targets, "tag", reference)
        target = target or find(targets, "revisionName", reference)
        made = {"latestRevision": False, "revisionName": reference, "percent": percent}
    if target is None:
        targets.append(made)
    else:
        target["percent"] = percent
