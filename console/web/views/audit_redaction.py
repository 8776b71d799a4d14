"""Taking a secret out of an entry of the audit log: for administrators."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from console.access.actors import actor_from
from console.access.decorators import administrators_only
from console.audit.models import Entry
from console.audit.redactions import RedactionRefused, redact
from console.web.done import done
from console.web.forms.redaction import RedactionForm
from console.web.requests import ConsoleRequest
from console.web.typed import keeps_typed, typed, unjudged


@administrators_only
@keeps_typed
def redact_entry(request: ConsoleRequest, sequence: int) -> HttpResponse:
    """Choose the field, say why, confirm with the entry's number."""
    entry = get_object_or_404(Entry, sequence=sequence)
    form = RedactionForm(entry, typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            facts = form.cleaned_data
            telling = redact(sequence, facts["field"], reason=facts["reason"], actor=actor_from(request))
        except RedactionRefused as refused:
            form.add_error(None, _words(refused.code))
        else:
            message = _("The field was redacted. Entry %(number)s records it.") % {"number": telling.sequence}
            return done(request, message, reverse("audit-entry", args=(sequence,)))
    unjudged(request, form)
    return render(request, "audit/redact.html", {"entry": entry, "form": form}, status=422 if form.errors else 200)


def _words(code: str) -> str:
    if code == "changed":
        return _("This entry does not match its hash. Run manage.py audit verify first.")
    return _("This field has been redacted already, or cannot be redacted.")
