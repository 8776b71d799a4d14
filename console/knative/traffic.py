"""Traffic: who gets which share, what a new revision will get, and what may not be asked for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

LATEST = "@latest"
_DNS_1035 = re.compile(r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")


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
        """Return the entry for spec.traffic; fields that this console does not know are kept."""
        kept = {key: value for key, value in self.raw.items() if key not in _KNOWN_FIELDS}
        written: dict[str, Any] = {**kept, "latestRevision": self.revision is None}
        if self.configuration:
            written["configurationName"] = self.configuration
        if self.revision is not None:
            written["revisionName"] = self.revision
        if self.percent is not None:
            written["percent"] = self.percent
        if self.tag:
            written["tag"] = self.tag
        return written


_KNOWN_FIELDS = frozenset({"revisionName", "latestRevision", "percent", "tag", "url", "configurationName"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that may not be: a code and its facts; the words are found at the edge. str() is kn's English."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    row: int | None = None
    field: str = ""

    def __str__(self) -> str:
        return _ENGLISH.get(self.code, self.code).format(**self.facts)


_ENGLISH = {
    "sum": "given traffic percents sum to {sum}, want 100",
    "percent-not-a-number": "{value!r} is not a whole number",
    "percent-range": "invalid value for traffic percent {value}, expected 0 <= percent <= 100",
    "tag-duplicate": "repetition of tag {tag!r} is not allowed, use only once",
    "tag-invalid": "tag {tag!r} is not a DNS 1035 label",
    "target-duplicate": "repetition of revision reference {revision!r} without a tag is not allowed, use only once",
    "revision-unknown": "revision {revision!r} does not exist",
    "no-targets": "at least one revision must receive traffic",
}


def parse_percent(text: str, row: int) -> int | Problem:
    """Return the percent that a person typed (empty is 0), or what is wrong with it."""
    text = text.strip().removesuffix("%").strip()
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        return Problem("percent-not-a-number", {"value": text[:20]}, row, "percent")
    value = int(text)
    return value if 0 <= value <= 100 else Problem("percent-range", {"value": value}, row, "percent")


def problems(targets: Sequence[TrafficTarget], known_revisions: Iterable[str]) -> tuple[Problem, ...]:
    """Return everything that is wrong with a wished split, each with its row and field where it has one."""
    known = frozenset(known_revisions)
    found: list[Problem] = []
    tags: set[str] = set()
    plain: set[str] = set()
    for row, target in enumerate(targets):
        if target.revision is not None and target.revision not in known:
            found.append(Problem("revision-unknown", {"revision": target.revision}, row, "revision"))
        if target.percent is not None and not 0 <= target.percent <= 100:
            found.append(Problem("percent-range", {"value": target.percent}, row, "percent"))
        if target.tag is None:
            if target.name in plain:
                found.append(Problem("target-duplicate", {"revision": target.name}, row, "revision"))
            plain.add(target.name)
        elif not _DNS_1035.fullmatch(target.tag):
            found.append(Problem("tag-invalid", {"tag": target.tag}, row, "tag"))
        elif target.tag in tags:
            found.append(Problem("tag-duplicate", {"tag": target.tag}, row, "tag"))
        else:
            tags.add(target.tag)
    total = sum(target.percent or 0 for target in targets)
    if not targets:
        found.append(Problem("no-targets"))
    elif total != 100:
        found.append(Problem("sum", {"sum": total}, None, "percent"))
    return tuple(found)


def compact(targets: Iterable[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    """Drop what has neither tag nor traffic, as kn does; the order of the others stays."""
    return tuple(target for target in targets if target.tag or target.percent)


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
    tags_on_latest: tuple[str, ...]
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
        tags_on_latest=tuple(target.tag for target in spec if target.is_latest and target.tag),
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


def all_to(revision: str | None, spec: Iterable[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    """Return a split that gives one revision (None: @latest) everything; the tags of the others stay, at 0%."""
    tagged = [replace(target, percent=0) for target in spec if target.tag]
    mine = next((n for n, one in enumerate(tagged) if (None if one.is_latest else one.revision) == revision), None)
    if mine is None:
        return (TrafficTarget(revision, 100, follows_latest=revision is None), *tagged)
    tagged[mine] = replace(tagged[mine], percent=100)
    return tuple(tagged)


# Splits worth one click: percent from the newest target to older ones.
PRESETS: Mapping[str, tuple[int, ...]] = {
    "100": (100,),
    "50/50": (50, 50),
    "50/25/25": (50, 25, 25),
    "90/10": (10, 90),
    "95/5": (5, 95),
}


def preset(name: str, targets: Sequence[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    """Return the targets with the preset's percents, first target first; the others get 0."""
    percents = PRESETS[name]
    padded = [*percents, *[0] * (len(targets) - len(percents))]
    return tuple(replace(target, percent=share) for target, share in zip(targets, padded, strict=False))


def balance(percents: Sequence[int | None]) -> tuple[int, ...] | Problem:
    """Fill the one missing percent with the remainder, as kn does; a Problem when that is not possible."""
    missing = [index for index, percent in enumerate(percents) if percent is None]
    given = sum(percent or 0 for percent in percents)
    if len(missing) != 1 or given > 100:
        total = given
        return (
            tuple(percent or 0 for percent in percents)
            if not missing and total == 100
            else Problem("sum", {"sum": total})
        )
    return tuple(100 - given if percent is None else percent for percent in percents)


def even(count: int) -> tuple[int, ...]:
    """Return `count` percents as equal as whole numbers allow, larger ones first; they sum to 100."""
    base, rest = divmod(100, count)
    return tuple(base + 1 if index < rest else base for index in range(count))
