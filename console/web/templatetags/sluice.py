"""Small pieces of pages: ages, conditions, words, links."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.access.explaining import Path
from console.access.permissions import LABELS, Permission
from console.access.scopes import Scope
from console.access.teams import scope_of
from console.knative import kn, paths
from console.knative.causes import Cause
from console.knative.conditions import Condition, Tally
from console.knative.kn_command import KnLimit
from console.knative.objects import Revision
from console.operations import patches
from console.operations.models import Operation, TimelineLine
from console.operations.traffic_history import Recorded
from console.web import (
    attention,
    causes,
    cluster_words,
    history_words,
    outcomes,
    request_words,
    states,
    summaries,
    whitespace,
    words,
)
from console.web.kn_words import KN_LIMITS
from console.web.markup import breakable_html
from console.web.revision_colours import colour_of

register = template.Library()


@register.filter
def age(moment: datetime | None) -> SafeString | str:
    """An age as kn writes it (`9d`), with the exact time on hover."""
    if moment is None:
        return "–"
    text = words.age(kn.age(moment, timezone.now()))
    return format_html(
        '<time datetime="{}" title="{}" data-age="age">{}</time>',
        moment.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
        text,
    )


@register.filter
def unspoken_age(moment: datetime | None) -> SafeString:
    """An age within a note that is read out when it changes: each later second of it is not."""
    return format_html('<span aria-live="off">{}</span>', age(moment))


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A moment, exactly, for what is rendered once and shown for long; static/js/ages.js makes its age of it."""
    if at is None:
        return "–"
    exact = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html('<time class="moment" datetime="{}" data-age="age">{}</time>', at.isoformat(), exact)


@register.filter
def image_words(revision: Revision) -> str:
    """The image as kn prints it, with the digest it is pinned to in the reader's language."""
    return words.image(revision)


@register.filter
def edges(text: str | None) -> str:
    """What a value begins and ends with that is not seen: `ends with a newline`."""
    return whitespace.edges(text)


@register.filter
def resource_words(name: str, kind: str) -> str:
    """What a resource of a container is called: `CPU request`. `kind` is request or limit."""
    return words.resource(name, kind)


@register.filter
def seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


@register.filter
def explain(found: Condition) -> str:
    return words.condition(found)


@register.filter
def explain_tally(found: Tally) -> str:
    return words.tally(found.others)


@register.filter
def reason_short(name: str) -> str:
    """The reason of a condition in words where it is well known, else as the cluster writes it."""
    return words.reason(name) or name


@register.filter
def tally_words(found: object) -> str:
    return words.tally_count(str(found))


@register.filter
def symbol_word(found: Condition) -> str:
    return str(words.SYMBOL_WORDS[found.word])


@register.filter
def hides_values(patch: str) -> bool:
    """Whether a patch cannot be used as it is shown."""
    return patches.hides_values(patch)


@register.filter
def kn_limit_word(limit: str) -> str:
    """Why kn cannot express a change."""
    return str(KN_LIMITS[KnLimit(limit)])


@register.filter
def reason_word(reason: str) -> str:
    """Why a service needs attention, in two or three words."""
    return str(attention.WORDS[attention.Reason(reason)])


@register.filter
def reason_state(reason: str) -> str:
    """The state (console.web.states) by which a reason to look at a service is shown."""
    return attention.STATES[attention.Reason(reason)]


@register.filter
def state_of(code: str) -> states.State:
    """How a state is shown, for templates/_state.html."""
    return states.state(code)


@register.filter
def field_text(row: Any) -> str:
    """The path of a changed field for people; takes a FieldChange or a row of a stored difference."""
    return row["field"] if isinstance(row, dict) and "field" in row else paths.text(tuple(_part(row, "path")))


@register.filter
def origin_words(origin: str) -> str:
    """Where a cluster is configured."""
    return cluster_words.origin(origin)


@register.filter
def since(moment: float | None) -> SafeString | str:
    """The age of a moment that is given in seconds since the epoch."""
    return age(datetime.fromtimestamp(moment, UTC)) if moment else "–"


@register.filter
def host(url: str) -> str:
    """The address without its scheme: the part in which services differ, for a narrow column."""
    return url.partition("://")[2].rstrip("/") or url


@register.filter
def without_service(revision: str, service: str) -> str:
    """The revision's name without its service's, where that is beside it: `00003` of `shop-00003`."""
    return revision.removeprefix(f"{service}-") if service else revision


@register.filter
def breakable(text: str) -> SafeString:
    """The text, which may continue on another line behind each of its separators, so that no word is cut in two.

    Text that is HTML already (an icon beside a name) has no such places and stays as it is.
    """
    if isinstance(text, SafeString):
        return text
    return breakable_html(str(text))  # a constant of a template is translated when it is needed


@register.filter
def env_source_word(kind: str) -> str:
    """What the source of a variable is called (EnvRow.origin_kind)."""
    return str(words.ENV_SOURCES.get(kind, words.ENV_SOURCES["reference"]))


@register.filter
def source_words(text: str) -> str:
    """Where values and files come from as people call it: `Secret db/url`, `ConfigMap flags, Secret db`."""
    return ", ".join(map(words.source, text.split(", ")))


@register.filter
def kind_word(kind: str) -> str:
    return str(words.KINDS.get(kind, kind))


@register.filter
def change_summary(operation: Operation) -> str:
    """What an operation changes, in a few words and without values of variables: for lists."""
    return summaries.of_operation(operation)


@register.filter
def phase_word(phase: str) -> str:
    return str(words.PHASES.get(phase, phase))


@register.filter
def split_words(shares: Mapping[str, int] | None) -> str:
    """Who got which share; None: unknown."""
    return history_words.split(shares)


@register.filter
def recorded_words(found: Recorded) -> str:
    """What began a step of the traffic, and by whom."""
    return history_words.who(found)


@register.filter
def notice_words(line: TimelineLine) -> str:
    return outcomes.notice(line.text, line.facts)


@register.filter
def cause_text(cause: Cause) -> str:
    return causes.text(cause)


@register.filter
def cause_short(code: str) -> str:
    return causes.short(code)


@register.filter
def is_told(condition: Condition, conditions: Iterable[Condition]) -> bool:
    """Another condition before this one gives the same reason and message."""
    same = (condition.reason, condition.message)
    first = next(one for one in conditions if (one.reason, one.message) == same)
    return bool(condition.message) and first.type != condition.type


@register.filter
def permission_words(permission: str) -> str:
    """What a permission allows."""
    return str(LABELS.get(permission, ""))


@register.filter
def scope_words(found: Any) -> str:
    """Where a grant holds; takes a Scope or a Grant."""
    return words.scope(found if isinstance(found, Scope) else scope_of(found))


@register.filter
def miss_words(path: Path) -> str:
    """Why a grant does not apply."""
    return words.misses(path)


@register.filter
def person_state(state: str) -> str:
    return str(words.PERSON_STATES.get(state, state))


@register.filter
def frozen_words(freeze: Any) -> str:
    """Until when nothing can be changed, and why."""
    return words.frozen(freeze)


@register.filter
def permissions_words(permissions: Any) -> str:
    """What some permissions allow, in one line."""
    return _("; ").join(str(LABELS[Permission(permission)]) for permission in permissions)


@register.filter
def test_error(error: str) -> str:
    """Why an access test could not be run, or not to its end."""
    return request_words.test_error(error)


@register.filter
def problem_words(found: Any) -> str:
    return words.problem(found)


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """mapping[key], or nothing."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def whole(text: str) -> int:
    """What was typed as a number for a meter; 0 when it is none (locales write numbers differently, meters do not)."""
    return int(text) if str(text).isdecimal() and len(str(text)) < 4 else 0


@register.filter
def is_web_link(url: str) -> bool:
    """Only http and https may become a link; what comes from a cluster may say anything."""
    return url.startswith(("http://", "https://"))


@register.simple_tag
def query(**values: Any) -> str:
    """A query string of these values alone, for a link to another page; what is missing is left out."""
    return "?" + urlencode({name: value for name, value in values.items() if value not in (None, "")})


@register.filter
def bar_parts(shares: Any) -> list[dict[str, Any]]:
    """The parts of a traffic bar: revision, percent, and where each begins; targets of one revision are added up."""
    totals: dict[str, int] = {}
    for share in shares or ():
        if share.percent:
            totals[share.revision or "?"] = totals.get(share.revision or "?", 0) + share.percent
    parts, start = [], 0
    for revision, percent in totals.items():
        parts.append({"revision": revision, "percent": percent, "start": start})
        start += percent
    return parts


@register.filter
def revision_colour(revision: Revision | str) -> str:
    """The class of a revision's own colour, `rev-0` to `rev-7`."""
    return colour_of(revision.name if isinstance(revision, Revision) else revision)


@register.simple_tag
def swatch(revision: Revision | str) -> SafeString:
    """`{% swatch name %}`: a spot in the revision's colour, beside its name; screen readers skip it."""
    return format_html('<span class="swatch {}" aria-hidden="true"></span>', revision_colour(revision))


@register.filter
def truth_short(row: Any) -> str:
    """What a new revision will get, in a few words. Takes a ServiceSummary."""
    return words.truth_short(row.truth, row.new_revision_percent)


def _part(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else getattr(row, name)
