"""What changed, who did it and when, as lists and the page of an operation tell it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from console.audit.models import Entry
from console.knative import kn
from console.operations.models import Operation, TimelineLine
from console.operations.queries import Made
from console.operations.steps import Step
from console.web import audit_sentences, audit_texts, audit_words, request_words, states, step_words, summaries, words

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago it was (`3m ago`), with the exact time on hover: never to be read as how long something took."""
    if moment is None:
        return "–"
    text = _("%(age)s ago") % {"age": words.age(kn.age(moment, timezone.now()))}
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html('<time datetime="{}" title="{}" data-age="ago">{}</time>', moment.isoformat(), exact, text)


@register.filter
def at(moment: datetime | None) -> SafeString | str:
    """The exact time, printed, with the age below it: a row may become a screenshot or a page of paper."""
    if moment is None:
        return "–"
    exact = utc_text(moment)
    text = format_html('<time class="exact" datetime="{}">{}</time>', moment.isoformat(), exact)
    return format_html('{} <span class="soft small age">{}</span>', text, ago(moment))


@register.filter
def left(moment: datetime | None) -> SafeString | str:
    """How long it is until then, which static/js/ages.js counts down, with the exact time on hover."""
    if moment is None:
        return "–"
    now = timezone.now()
    text = words.age(kn.age(now, max(moment, now)))
    return format_html(
        '<time datetime="{}" title="{}" data-age="left">{}</time>', moment.isoformat(), utc_text(moment), text
    )


@register.filter
def until(moment: datetime | None) -> SafeString | str:
    """The exact time, printed, with how long it is until then below it."""
    if moment is None:
        return "–"
    exact = format_html('<time class="exact" datetime="{}">{}</time>', moment.isoformat(), utc_text(moment))
    return format_html('{} <span class="soft small age">{}</span>', exact, left(moment))


@register.filter
def line_at(line: TimelineLine, operation: Operation) -> SafeString:
    """When a line of an operation's output was printed."""
    moment = operation.began_at + timedelta(seconds=line.elapsed)
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), utc_text(moment))


@register.filter("utc")
def utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@register.simple_tag(takes_context=True)
def entry_sentence(context: Context, entry: Entry, made: Mapping[UUID, Made], *, is_plain: bool = False) -> SafeString:
    """What happened, in a sentence with names; links lead to what else the person did and to the service's history."""
    with context.push(entry=entry, is_plain=is_plain):
        actor, object = _part(context, "audit/_actor.html"), _part(context, "audit/_object.html")
    whose = audit_sentences.whose(entry, made)
    parts = audit_sentences.Parts(actor, object, format_html("<b>{}</b>", whose) if whose else whose)
    return audit_sentences.html(entry, made, parts)


def _part(context: Context, name: str) -> SafeString:
    """A part of a page without the white space around it: a sentence continues behind it."""
    template = context.template.engine.get_template(name)  # type: ignore[union-attr]  # a page is being rendered
    return mark_safe(template.render(context).strip())  # noqa: S308  the template escaped it


@register.simple_tag
def ages_for_script() -> str:
    """The words of ages as JSON, and this moment by the server's clock: a browser's own may be wrong."""
    return json.dumps({**words.ages_for_script(), "now": timezone.now().timestamp()})


@register.filter
def entry_summary(entry: Entry) -> str:
    """What an audit entry says of the fields that changed."""
    return summaries.of_entry(entry)


@register.filter
def operation_state(operation: Operation) -> str:
    """The state (console.web.states) of an operation."""
    return states.of_operation(operation)


@register.filter
def operation_word(operation: Operation) -> str:
    """The word for it; an audit entry has another one for some of the same codes."""
    return str(states.state(states.HELD_BACK).word if operation.is_held_back else operation.get_status_display())


@register.filter
def action_words(entry: Entry, made: Mapping[UUID, Made]) -> str:
    """What somebody did. `made` are the kinds and authors of the entries' operations (queries.made)."""
    return audit_words.action(entry, made)


@register.filter
def entry_text(entry: Entry) -> str:
    """What an audit entry says beside its fields."""
    return audit_words.text(entry)


@register.filter
def entry_words(entry: Entry) -> str:
    """The whole text of an entry, as its own page shows it."""
    return audit_texts.text(entry.action, entry.text)


@register.filter
def tells_more(entry: Entry) -> bool:
    """Whether the entry says anything beside what was done, by whom and to what."""
    return bool(entry_summary(entry) or (entry_text(entry) and not is_in_sentence(entry)))


@register.filter
def is_in_sentence(entry: Entry) -> bool:
    """Whether the sentence of the entry has its text already."""
    return audit_sentences.has_text(entry)


@register.filter
def test_answer(name: str) -> str:
    """Who answered a request of a test."""
    return request_words.test_answer(name)


@register.filter
def step_word(step: Step) -> str:
    """What a step of an operation is called."""
    return str(step_words.NAMES[step.name])


@register.filter
def step_state_word(step: Step) -> str:
    """Where the operation is with the step, for screen readers."""
    return str(step_words.STATES[step.state])


@register.filter
def step_icon(step: Step) -> str:
    """The mark beside the step: color alone is not enough."""
    return step_words.ICONS[step.state]
