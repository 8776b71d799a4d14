"""A split as kn's flags `--untag`, `--tag` and `--traffic`.

kn works on the entries one after another (pkg/traffic/compute.go), so not every split can be reached by its flags.
Whether one can is found by doing what kn does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from console.knative.kn_command.limits import KnLimit, NotInKn
from console.knative.traffic import LATEST, TrafficTarget


@dataclass(frozen=True, slots=True)
class _Entry:
    """What kn knows of a target: `name` is a revision or @latest."""

    name: str
    percent: int
    tag: str


def split_flags(present: Sequence[TrafficTarget], wanted: Sequence[TrafficTarget]) -> tuple[str, ...]:
    """Return the flags that make the wanted split of the present one; raises NotInKn where none do."""
    before, after = _entries(present), _entries(wanted)
    tags_before = {entry.tag: entry.name for entry in before if entry.tag}
    tags_after = {entry.tag: entry.name for entry in after if entry.tag}
    untag = [tag for tag, name in tags_before.items() if tags_after.get(tag) != name]
    tag = [(name, tag) for tag, name in tags_after.items() if tags_before.get(tag) != name]
    flags = (*(f"--untag {tag}" for tag in untag), *(f"--tag {name}={tag}" for name, tag in tag))
    tagged = _tagged(_untagged(before, untag), tag)
    if _is_same(_kept(tagged), after) and flags:
        return flags
    shares = {entry.tag or entry.name: entry.percent for entry in after if entry.percent}
    if sum(shares.values()) != 100 or not _is_same(_kept(_shared(tagged, shares)), after):
        raise NotInKn(KnLimit.TRAFFIC)
    return (*flags, "--traffic " + ",".join(f"{reference}={percent}" for reference, percent in shares.items()))


def _entries(targets: Sequence[TrafficTarget]) -> list[_Entry]:
    return [_Entry(target.name, target.percent or 0, target.tag or "") for target in targets]


def _is_same(one: list[_Entry], other: list[_Entry]) -> bool:
    """The order of targets means nothing to Knative."""
    return sorted(map(repr, one)) == sorted(map(repr, other))


def _untagged(entries: list[_Entry], tags: list[str]) -> list[_Entry]:
    found = list(entries)
    for tag in tags:
        at = next(n for n, entry in enumerate(found) if entry.tag == tag)
        found[at] = replace(found[at], tag="")
    return found


def _tagged(entries: list[_Entry], tags: list[tuple[str, str]]) -> list[_Entry]:
    """The first entry of the revision takes the tag; where it has one, an entry is added, save for @latest."""
    found = list(entries)
    for name, tag in tags:
        at = next((n for n, entry in enumerate(found) if entry.name == name), None)
        if at is None or (found[at].tag and name != LATEST):
            found.append(_Entry(name, 0, tag))
        elif found[at].tag:
            raise NotInKn(KnLimit.TRAFFIC)  # kn refuses a second tag on @latest
        else:
            found[at] = replace(found[at], tag=tag)
    return found


def _shared(entries: list[_Entry], shares: dict[str, int]) -> list[_Entry]:
    """A reference is looked for among the tags first, then among the revisions, whose first entry is taken."""
    found = [replace(entry, percent=0) for entry in entries]
    for reference, percent in shares.items():
        at = next((n for n, entry in enumerate(found) if entry.tag == reference), None)
        if at is None or reference == LATEST:
            at = next((n for n, entry in enumerate(found) if entry.name == reference), None)
        if at is None:
            found.append(_Entry(reference, percent, ""))
        else:
            found[at] = replace(found[at], percent=percent)
    return found


def _kept(entries: list[_Entry]) -> list[_Entry]:
    return [entry for entry in entries if entry.tag or entry.percent]
