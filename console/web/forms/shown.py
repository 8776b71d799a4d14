"""A form that compares what was typed with what it showed, so that only what a person touched becomes a change.

The object may change while the form is open. Compared with the object as it is now, every field that somebody else
changed meanwhile would count as typed, and be put back. So what was shown travels along with the form.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django import forms
from django.core import signing
from django.utils.translation import gettext as _

SHOWN = "shown"  # the name of the input that carries the texts
SALT = "sluice.forms.shown"
ON = "on"  # the text of a box that is ticked

T = TypeVar("T")
Entry = TypeVar("Entry")


class ShownForm(forms.Form):
    """A form whose fields each show one text (`ON` or nothing for a box), made from the object.

    A field is touched when what came back is another text than the one that was shown. One that is not touched makes
    no change and is not validated: what the object holds is legal, or nothing that this form can mend. A field that
    is in `beyond` alone, and not in `texts`, cannot say what the object has: it is read-only.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        beyond: Mapping[str, Sequence[str]],
        data: Mapping[str, Any] | None = None,
        *,
        prefix: str | None = None,
    ) -> None:
        super().__init__(data, initial=dict(texts), prefix=prefix)
        self.is_readable = True
        sayable = {name: text for name, text in texts.items() if survives(text, self.fields[name].widget)}
        self.shown: Mapping[str, str] = self._seen(sayable)
        for name, field in self.fields.items():
            field.beyond = tuple(beyond.get(name, ()))  # type: ignore[attr-defined]  # for components/field.html
            if name not in self.shown:
                self._lock(name, texts.get(name, ""))
            elif isinstance(field, forms.ChoiceField) and not isinstance(field, forms.MultipleChoiceField):
                offer(field, self.shown[name])

    @property
    def shown_token(self) -> str:
        """What this form showed when it was opened, signed, for its hidden input."""
        return signing.dumps(dict(self.shown), salt=SALT, compress=True)

    def is_touched(self, name: str) -> bool:
        typed = self.typed(name)
        return name in self.shown and typed is not None and typed != newlines(self.shown[name])

    def typed(self, name: str) -> str | None:
        """Return the text that came back; None for a field that did not (a box that did not is not ticked)."""
        value = self.fields[name].widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        if isinstance(value, bool):
            return ON if value else ""
        return None if value is None else newlines(str(value))

    def clean(self) -> dict[str, Any] | None:
        """Drop what is wrong with fields that nobody touched."""
        for name in [name for name in self.errors if not self.is_touched(name)]:
            del self.errors[name]
        if not self.is_readable:
            self.add_error(None, _("This form has expired. Open it again."))
        return super().clean()

    def _seen(self, texts: Mapping[str, str]) -> Mapping[str, str]:
        """Return what was shown when the form was opened; without the input (a script sent it), the current text."""
        token = self.data.get(self.add_prefix(SHOWN))
        if not self.is_bound or token is None:
            return texts
        try:
            seen = signing.loads(token, salt=SALT)
        except signing.BadSignature:
            self.is_readable = False
            return texts
        return {name: seen[name] for name in self.fields if name in seen}

    def _lock(self, name: str, text: str) -> None:
        field = self.fields[name]
        field.disabled = True
        field.beyond = field.beyond or ((text,) if text else ())  # type: ignore[attr-defined]  # as above
        self.initial.pop(name, None)


def added_and_removed(shown: Sequence[Entry], wanted: Sequence[Entry]) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return what an edit of a list added, and what it removed (or wants less often)."""
    removed = [entry for entry in shown if wanted.count(entry) < shown.count(entry)]
    return tuple(entry for entry in wanted if entry not in shown), tuple(dict.fromkeys(removed))


def reordered(shown: Sequence[Entry], wanted: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the wanted list where more was done than removing entries and appending others, else nothing."""
    added, removed = added_and_removed(shown, wanted)
    return () if [*(entry for entry in shown if entry not in removed), *added] == list(wanted) else tuple(wanted)


def merged(shown: Sequence[Entry], wanted: Sequence[Entry], present: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the wanted list with what is present beside what was shown, and without what has gone since."""
    added, _removed = added_and_removed(shown, wanted)
    kept = [entry for entry in wanted if entry in added or entry in present]
    return (*kept, *(entry for entry in present if entry not in shown and entry not in kept))


def changed_keys(shown: Iterable[tuple[T, str]], wanted: Iterable[tuple[T, str]]) -> dict[T, str | None]:
    """Return what an edit of pairs sets; None for a key that it removes."""
    before, after = dict(shown), dict(wanted)
    found: dict[T, str | None] = {key: value for key, value in after.items() if before.get(key) != value}
    return found | {key: None for key in before if key not in after}


def newlines(text: str) -> str:
    """Return the text with the line ends that a browser makes of all others (HTML: normalize newlines)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def survives(text: str, widget: forms.Widget) -> bool:
    """A browser sends the text back as it was: HTML knows no NUL and no lone carriage return, an input no line end."""
    has_lines = isinstance(widget, forms.Textarea | forms.Select) or getattr(widget, "has_lines", False)
    lost = "\0\r" if has_lines else "\0\r\n"
    return not any(character in text for character in lost)


def offer(field: forms.ChoiceField, text: str) -> None:
    """Offer what the object has, though the form does not know it."""
    choices: list[Any] = list(field.choices)  # type: ignore[arg-type]  # plain pairs in our forms
    if text not in [value for value, _label in choices]:
        field.choices = [*choices, (text, text)]
