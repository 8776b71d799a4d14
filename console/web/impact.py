"""What a change does, in sentences for its preview and for its approver: by kind of change, what goes and comes."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.knative import traffic
from console.knative.changes import Change, Verb
from console.knative.objects import Service
from console.web import words


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of a list of effects, and its icon."""

    icon: str
    text: str


def sentences(
    change: Change, before: Service, after: Service, *, makes_revision: bool, revisions: int | None
) -> tuple[Sentence, ...]:
    """Return what the change does to the service in `before`; `revisions` are how many it has, None: not known."""
    if change.verb is Verb.UPDATE:
        new_gets = Sentence("signpost-split", words.truth(after.truth))
        of_tags = _of_tags(before, after, makes_revision=makes_revision)
        return (_of_revision(makes_revision=makes_revision), *_of_split(before, after), new_gets, *of_tags)
    if change.verb is Verb.DELETE:
        return _of_deletion(before, revisions)
    if change.verb is Verb.DELETE_REVISION:
        return _of_revision_deletion(change.object_name(before))
    return _of_creation(after)


def _of_creation(after: Service) -> tuple[Sentence, ...]:
    new = _("Creates the service %(name)s in %(namespace)s.") % {"name": after.name, "namespace": after.namespace}
    serves = _("The first revision gets all traffic as soon as it is ready.")
    return (Sentence("plus-square", new), Sentence("signpost-split", serves))


def _of_revision_deletion(revision: str) -> tuple[Sentence, ...]:
    gone = _("Deletes revision %(revision)s. You can't roll back to it afterwards.") % {"revision": revision}
    return (Sentence("trash3", gone), Sentence("signpost-split", _("Traffic stays unchanged.")))


def _of_deletion(before: Service, revisions: int | None) -> tuple[Sentence, ...]:
    if revisions is None:
        gone = _("Deletes the service %(name)s, its route and all its revisions.") % {"name": before.name}
    else:
        gone = ngettext(
            "Deletes the service %(name)s, its route and its %(count)s revision.",
            "Deletes the service %(name)s, its route and its %(count)s revisions.",
            revisions,
        ) % {"name": before.name, "count": revisions}
    found = [Sentence("trash3", gone)]
    if before.url:
        found.append(Sentence("x-octagon", _("%(url)s stops responding.") % {"url": before.url}))
    if tags := sorted({target.tag for target in before.status_traffic if target.tag}):
        stops = ngettext(
            "The tag URL of %(tags)s stops responding.", "The tag URLs of %(tags)s stop responding.", len(tags)
        )
        found.append(Sentence("x-octagon", stops % {"tags": ", ".join(tags)}))
    return (*found, Sentence("exclamation-triangle", _("This cannot be undone.")))


def _of_revision(*, makes_revision: bool) -> Sentence:
    if makes_revision:
        return Sentence("plus-square", _("Creates a new revision."))
    return Sentence("dash-square", _("No new revision."))


def _of_split(before: Service, after: Service) -> tuple[Sentence, ...]:
    """That a split which differs moves nothing; what one moves is told before (console.web.change_words)."""
    if before.spec_traffic == after.spec_traffic:
        return ()
    was, becomes = (traffic.shares(_resolved(before, each)) for each in (before, after))
    return () if was != becomes else (Sentence("arrow-left-right", _("No traffic moves.")),)


def _of_tags(before: Service, after: Service, *, makes_revision: bool) -> Iterator[Sentence]:
    """Which tag URLs lead elsewhere once the change is in effect, or will with the next one: those of @latest."""
    was = {target.tag: target.name for target in before.spec_traffic if target.tag}
    for target in after.spec_traffic:
        if not (target.tag and target.is_latest):
            continue
        held_by = before.latest_ready_revision if was.get(target.tag) == traffic.LATEST else was.get(target.tag)
        facts = {"tag": target.tag, "revision": held_by}
        if makes_revision and held_by:
            text = _("The tag “%(tag)s” and its URL move from %(revision)s to the new revision.")
            yield Sentence("tag", text % facts)
        if was.get(target.tag) != traffic.LATEST:
            text = _("The tag “%(tag)s” follows the latest revision: the next release takes it over.")
            yield Sentence("tag", text % facts)


def _resolved(now: Service, split: Service) -> tuple[traffic.TrafficTarget, ...]:
    """The split with @latest as the revision that it means now."""
    return traffic.as_served(split.spec_traffic, now.latest_ready_revision)
