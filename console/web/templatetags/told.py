"""What changed, who did it and when, as lists and the page of an operation tell it."""

from __future__ import annotations

import json
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.audit.models import Entry
from console.knative import kn
from console.operations.models import Operation
from console.operations.steps import Step
from console.web import audit_texts, audit_words, request_words, states, step_words, summaries, words

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago it was (`3m ago`), with the exact time on hover: never to be read as how long something took."""
    if moment is None:
        return "–"
    text = _("%(age)s ago") % {"age": words.age(kn.age(moment, timezone.now()))}
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html('<time datetime="{}" title="{}" data-age="ago">{}</time>', moment.isoformat(), exact, text)


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
def action_words(entry: Entry, made: audit_words.Made) -> str:
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
    return bool(entry_summary(entry) or entry_text(entry))


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
