"""Traffic: who gets which share, what a new revision will get, and what may not be asked for."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from console.knative.problems import Problem

LATEST = "@latest"
_DNS_1035 = re.compile(r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
_ENTRY = re.compile(r"(\d+)% (\S+?)(?: #(\S+))?")


@dataclass(frozen=True, slots=True)
class TrafficTarget:
    """One entry of spec.traffic or status.traffic. `revision` None follows the latest ready revision."""

    revision: str | None = None
    percent: int | None = None
    tag: str | None = None
    url: str | None = None
    configuration: str | None = None
    follows_latest: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "TrafficTarget":
        """Return the target; one without revisionName follows latest, as the webhook's defaults say."""
        name = raw.get("revisionName") or None
        return cls(
            revision=name,
            percent=raw.get("percent"),
            tag=raw.get("tag") or None,
            url=raw.get("url") or None,
            configuration=raw.get("configurationName") or None,
            follows_latest=bool(raw.get("latestRevision")) or name is None,
            raw=raw,
        )

    @property
    def name(self) -> str:
        """What kn calls it: the revision, or `@latest`."""
        return self.revision if self.revision and not self.is_latest else LATEST

    @property
    def is_latest(self) -> bool:
        return self.revision is None or self.follows_latest

    def to_spec(self) -> dict[str, Any]:
        """Return the entry for spec.traffic: `raw` with what differs from it; its absent and unknown fields stay so."""
        entry = {key: value for key, value in self.raw.items() if key != "url"}  # the status has that, no spec may
        was = TrafficTarget.read(self.raw)
        if self.is_latest:
            entry.pop("revisionName", None)
        else:
            entry["revisionName"] = self.revision
        if not self.raw or was.is_latest != self.is_latest:
            entry["latestRevision"] = self.is_latest
        for key, before, now in (
            ("percent", was.percent, self.percent),
            ("tag", was.tag, self.tag),
            ("configurationName", was.configuration, self.configuration),
        ):
            if now is None and before is not None:
                entry.pop(key, None)
            elif now != before:
                entry[key] = now
        return entry


def text_of(targets: Iterable[TrafficTarget]) -> str:
    """Return the split as a difference shows it: `90% shop-00003 #stable, 10% @latest`."""
    return ", ".join(f"{one.percent or 0}% {one.name}" + (f" #{one.tag}" if one.tag else "") for one in targets)


def read_text(text: str) -> tuple[TrafficTarget, ...] | None:
    """Return the split that `text_of` wrote; None for another text."""
    found = [_ENTRY.fullmatch(entry) for entry in text.split(", ")]
    return tuple(_entry(match) for match in found if match) if all(found) else None


def _entry(match: re.Match[str]) -> TrafficTarget:
    percent, name, tag = match.groups()
    return TrafficTarget(None if name == LATEST else name, int(percent), tag, follows_latest=name == LATEST)


def parse_percent(text: str, row: int) -> int | Problem | None:
    """Return the percent that a person typed (None for nothing), or what is wrong with it."""
    text = text.strip().removesuffix("%").strip()
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        return Problem("percent-not-a-number", {"value": text[:20]}, row, "percent")
    value = int(text)
    return value if 0 <= value <= 100 else Problem("percent-range", {"value": value}, row, "percent")


def problems(targets: Sequence[TrafficTarget]) -> tuple[Problem, ...]:
    """Return everything that the webhook would refuse of a split, each with its row and field where it has one."""
    found: list[Problem] = []
    tags: set[str] = set()
    for row, target in enumerate(targets):
        if target.percent is not None and not 0 <= target.percent <= 100:
            found.append(Problem("percent-range", {"value": target.percent}, row, "percent"))
        if target.tag is None:
            continue
        if not _DNS_1035.fullmatch(target.tag):
            found.append(Problem("tag-invalid", {"tag": target.tag}, row, "tag"))
        elif target.tag in tags:
            found.append(Problem("tag-duplicate", {"tag": target.tag}, row, "tag"))
        tags.add(target.tag)
    total = sum(target.percent or 0 for target in targets)
    if total != 100:
        found.append(Problem("sum", {"sum": total}, None, "percent"))
    return tuple(found)


class Kind(StrEnum):
    """What happens to a new revision."""

    FOLLOWS_LATEST = "follows-latest"
    PINNED = "pinned"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class TrafficTruth:
    """What a new revision will get, and whether the newest one serves now."""

    kind: Kind
    new_revision_percent: int
    latest_revision: str | None
    latest_percent: int
    pinned_to: tuple[str, ...]

    @property
    def newer_not_serving(self) -> bool:
        """The latest ready revision exists and gets nothing: the trap of a forgotten pin."""
        return self.latest_revision is not None and self.latest_percent == 0 and self.kind is not Kind.FOLLOWS_LATEST


def truth(spec: Sequence[TrafficTarget], status: Sequence[TrafficTarget], latest_revision: str | None) -> TrafficTruth:
    """Return what spec.traffic promises to the next revision and what the newest ready one gets now."""
    promised = sum(target.percent or 0 for target in spec if target.is_latest)
    kind = Kind.FOLLOWS_LATEST if promised == 100 else Kind.PINNED if promised == 0 else Kind.SPLIT
    serving = shares(status)
    return TrafficTruth(
        kind=kind,
        new_revision_percent=promised,
        latest_revision=latest_revision,
        latest_percent=serving.get(latest_revision or "", 0),
        pinned_to=tuple(dict.fromkeys(t.revision for t in spec if t.revision and not t.is_latest and t.percent)),
    )


def shares(targets: Iterable[TrafficTarget]) -> dict[str, int]:
    """Return percent by revision, in the order of the targets; entries of one revision are added up."""
    found: dict[str, int] = {}
    for target in targets:
        if target.percent:
            found[target.revision or LATEST] = found.get(target.revision or LATEST, 0) + target.percent
    return found


def as_served(spec: Iterable[TrafficTarget], latest: str | None) -> tuple[TrafficTarget, ...]:
    """Return the split with @latest replaced by the revision that it meant: a newer one does not take its share.

    Entries of one revision without a tag are joined: kn and the webhook want each once.
    """
    found: list[TrafficTarget] = []
    for target in spec:
        named = (
            replace(target, revision=latest, follows_latest=False, configuration=None) if target.is_latest else target
        )
        twin = next((n for n, one in enumerate(found) if (one.revision, one.tag) == (named.revision, None)), None)
        if named.tag is None and twin is not None:
            found[twin] = replace(found[twin], percent=(found[twin].percent or 0) + (named.percent or 0))
        else:
            found.append(named)
    return tuple(found)


def served_shares(targets: Iterable[TrafficTarget], latest: str | None) -> dict[str, int]:
    """Return percent by revision that a split gives, `latest` being the latest."""
    return shares(as_served(tuple(targets), latest))


def pinned(spec: Iterable[TrafficTarget], revision: str | None, latest: str | None) -> tuple[TrafficTarget, ...]:
    """Return the split with the tags of @latest that only try this revision on the revision itself.

    Who gives it traffic by its name means this revision: the next release shall not take its tag URL away.
    """
    return tuple(
        replace(one, revision=revision, follows_latest=False)
        if revision and revision == latest and one.is_latest and one.tag and not one.percent
        else one
        for one in spec
    )


def all_to(revision: str | None, spec: Iterable[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    """Return the split that gives one revision (None: @latest) everything.

    The others keep their tags, at 0%; what had a share and no tag goes, as with kn. The order stays.
    """
    targets = list(spec)
    mine = [index for index, one in enumerate(targets) if (None if one.is_latest else one.revision) == revision]
    chosen = next((index for index in mine if targets[index].percent), next(iter(mine), None))
    found = () if chosen is not None else (TrafficTarget(revision, 100, follows_latest=revision is None),)
    return (
        *found,
        *(
            replace(one, percent=100 if index == chosen else 0 if one.percent else one.percent)
            for index, one in enumerate(targets)
            if index == chosen or one.tag or not one.percent
        ),
    )


def to_shares(shares: Mapping[str, int], spec: Iterable[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    """Return the split that gives these revisions these percents; the others keep their tags, at 0%."""
    found: list[TrafficTarget] = []
    left = dict(shares)
    for one in spec:
        percent = 0 if one.is_latest else left.pop(one.revision or "", 0)
        if percent or one.tag:
            found.append(replace(one, percent=percent))
    return (*found, *(TrafficTarget(revision, percent) for revision, percent in left.items() if percent))


def without(targets: Iterable[TrafficTarget], gone: Collection[str]) -> tuple[TrafficTarget, ...]:
    """Return the split without the targets that name one of these revisions.

    Their shares go to the others in proportion, by largest remainder; where no other has a share, none gets any.
    """
    given = tuple(targets)
    kept = tuple(target for target in given if target.is_latest or target.revision not in gone)
    before = sum(target.percent or 0 for target in given)
    left = sum(target.percent or 0 for target in kept)
    return kept if not left or left == before else in_proportion(kept, before)


def in_proportion(targets: Sequence[TrafficTarget], total: int) -> tuple[TrafficTarget, ...]:
    """Return the targets with shares that add up to the total, in the proportion of those they have (not all 0).

    By largest remainder; a target without a share gets none.
    """
    sum_now = sum(target.percent or 0 for target in targets)
    exact = [(target.percent or 0) * total / sum_now for target in targets]
    rounded = [int(share) for share in exact]
    by_remainder = sorted(range(len(targets)), key=lambda index: rounded[index] - exact[index])
    for index in by_remainder[: total - sum(rounded)]:
        rounded[index] += 1
    return tuple(
        replace(target, percent=share) if target.percent else target
        for target, share in zip(targets, rounded, strict=True)
    )
