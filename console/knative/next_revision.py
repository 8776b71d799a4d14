"""The split that gives the next revision a share of its own: all, none, or so many percent, with or without a tag.

The next revision has no name yet, so it is @latest, as in kn's `--tag @latest=candidate --traffic @latest=10`. Until it
is ready @latest means the latest revision that is: what serves now keeps serving, whatever becomes of the new one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from console.knative.traffic import TrafficTarget, in_proportion, truth


def share_of_next(spec: Sequence[TrafficTarget]) -> int:
    """Return the percent that a new revision gets as soon as it is ready."""
    return truth(spec, (), None).new_revision_percent


def needs_ready_revision(spec: Sequence[TrafficTarget], percent: int) -> bool:
    """The rest is to stay with the latest ready revision, so there must be one."""
    return percent < 100 and share_of_next(spec) > 0


def split_for_next(
    spec: Sequence[TrafficTarget], latest: str | None, percent: int, tag: str = ""
) -> tuple[TrafficTarget, ...]:
    """Return the split in which the next revision gets the percent, and the tag if there is one.

    The rest stays with the revisions that serve now, in proportion, by largest remainder; `latest` is the revision that
    @latest means until now. A tag that follows @latest keeps doing so. The tag moves here from where it was.
    """
    following = [one for one in spec if one.is_latest]
    chosen = _entry_for(following, tag)
    others = [one for one in following if one is not chosen and one.tag and one.tag != tag]
    begin = chosen or TrafficTarget(follows_latest=True)
    return (
        *_rest(_untagged(_named(spec, latest), tag), 100 - percent),
        *(replace(one, percent=0 if one.percent else one.percent) for one in others),
        replace(begin, percent=percent, tag=tag or begin.tag),
    )


def _named(spec: Iterable[TrafficTarget], latest: str | None) -> list[TrafficTarget]:
    """The entries of revisions; that of the latest one with what @latest serves now beside its own share."""
    targets = list(spec)
    found = [one for one in targets if not one.is_latest]
    share = sum(one.percent or 0 for one in targets if one.is_latest)
    at = next((n for n, one in enumerate(found) if one.revision == latest), None)
    if not share:
        return found
    if at is None:
        return [TrafficTarget(latest, share), *found]
    found[at] = replace(found[at], percent=(found[at].percent or 0) + share)
    return found


def _untagged(targets: Iterable[TrafficTarget], tag: str) -> list[TrafficTarget]:
    """The targets without this tag; one that had nothing else goes."""
    return [
        replace(one, tag=None) if tag and one.tag == tag else one
        for one in targets
        if one.percent or not tag or one.tag != tag
    ]


def _rest(targets: Sequence[TrafficTarget], total: int) -> list[TrafficTarget]:
    """The targets with the total between them; one that loses its share goes, unless a tag keeps it."""
    if not any(one.percent for one in targets):
        return list(targets)
    scaled = zip(targets, in_proportion(targets, total), strict=True)
    return [now for was, now in scaled if now.percent or now.tag or not was.percent]


def _entry_for(following: Sequence[TrafficTarget], tag: str) -> TrafficTarget | None:
    """The entry of @latest that takes the share: the one with the tag, else one without any; else a new one."""
    wanted = (tag, None) if tag else (None, *(one.tag for one in following))
    return next((one for each in wanted for one in following if one.tag == each), None)
