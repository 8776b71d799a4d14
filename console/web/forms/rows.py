"""Fields of several rows, each with controls of its own: mounts, tolerations, sources of variables.

For the form around it, such a field is one text (console.web.forms.shown): a line for each row, which holds what the
controls hold, as JSON. Only this module writes and reads these lines; people see a formset of Django's.
"""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from console.web.forms import shown, text_fields
from console.web.forms.text_fields import LinesField, Syntax

ADD, REMOVE = "add_row", "remove_row"  # names of the buttons; their values name the field, or the row
MAX_ROWS = 200  # of one field; more could exceed the number of controls that a request may carry
_IN_ROW = "row"  # code of an error that its row shows

Row = dict[str, str]  # what the controls of a row hold; `on` for a box that is ticked
T = TypeVar("T")


class RowForm(forms.Form):
    """The controls of one row. `defaults` are what an empty row holds; `more`: fields that few rows need."""

    use_required_attribute = False
    defaults: ClassVar[Row] = {}
    more: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, bound in self.fields.items():
            bound.required = False
            kind = {forms.BooleanField: "form-check-input", forms.ChoiceField: "form-select"}
            bound.widget.attrs["class"] = kind.get(type(bound), "form-control")
            if not isinstance(bound, forms.BooleanField):
                bound.initial = self.defaults.get(name, "")

    @classmethod
    def said(cls, row: Row) -> Row:
        """Return the row without what its kind has no use for."""
        return row

    @classmethod
    def is_blank(cls, row: Row) -> bool:
        return not any(text for name, text in row.items() if text != cls.defaults.get(name))

    @classmethod
    def survives(cls, row: Row) -> bool:
        """A browser sends every text of the row back as it was."""
        widgets = {name: bound.widget for name, bound in cls.base_fields.items()}
        return all(name in widgets and shown.survives(text, widgets[name]) for name, text in row.items())

    def row(self) -> Row:
        """Return what the controls hold, as it was typed."""
        found = {name: self._text(name) for name in self.fields}
        return self.said({name: text for name, text in found.items() if text})

    def clean_row(self) -> Row:
        """Return the same of a valid form, without blanks around it."""
        found = {name: _as_text(value) for name, value in self.cleaned_data.items()}
        return self.said({name: text for name, text in found.items() if text})

    def offer_what_it_holds(self) -> None:
        for name, bound in self.fields.items():
            if isinstance(bound, forms.ChoiceField):
                shown.offer(bound, _as_text(self[name].value()))

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [bound for bound in self if bound.name not in self.more]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.more]

    @property
    def opens_more(self) -> bool:
        """There is something to see among the further fields."""
        return any(self[name].value() or name in self.errors for name in self.more)

    def _text(self, name: str) -> str:
        widget = self.fields[name].widget
        return _as_text(widget.value_from_datadict(self.data, self.files, self.add_prefix(name)))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return shown.ON if value else ""
    return "" if value is None else shown.newlines(str(value))


def as_line(row: Row) -> str:
    return json.dumps({name: text for name, text in row.items() if text}, sort_keys=True)


def as_row(line: str) -> Row:
    """Return the row of a line; raises ValueError."""
    found = json.loads(line)
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ValueError(line)
    return found


def row_syntax(
    row_form: type[RowForm],
    read: Callable[[Row], T],
    write: Callable[[T], Row],
    key: Callable[[T], Hashable] | None = None,
) -> Syntax[T]:
    """Return the syntax of entries that a row says; `read` raises ValueError."""

    def line(entry: T) -> str:
        row = write(entry)
        if row_form.is_blank(row) or not row_form.survives(row):
            raise ValueError(row)
        return as_line(row)

    return Syntax(lambda text: read(as_row(text)), line, key=key)


@dataclass(frozen=True, slots=True)
class Note:
    """What a row does not say of its entry, which stays as it is; the controls in `hides` cannot say it."""

    text: str
    hides: frozenset[str] = frozenset()


class RowsWidget(forms.Widget):
    """Reads the rows of a field as its text."""

    has_lines = True

    def __init__(self, row_form: type[RowForm]) -> None:
        super().__init__()
        self.formset: type[BaseFormSet[RowForm]] = formset_factory(
            row_form, extra=0, max_num=MAX_ROWS, absolute_max=2 * MAX_ROWS
        )

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str | None:
        """Return None where the field was not sent at all."""
        if f"{name}-TOTAL_FORMS" not in data:
            return None
        removed = data.get(REMOVE)
        found = [one.row() for one in self.formset(data, prefix=name).forms if one.prefix != removed]
        return "\n".join(as_line(row) for row in found if not self.formset.form.is_blank(row))

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return f"{name}-TOTAL_FORMS" not in data

    def form_of(self, row: Row, prefix: str = "", *, judged: bool) -> RowForm:
        """Return the controls that hold this row, with what is wrong with it where it is judged."""
        row_form = self.formset.form
        if not judged:
            return row_form(initial=row, prefix=prefix)
        return row_form({f"{prefix}-{name}" if prefix else name: text for name, text in row.items()}, prefix=prefix)


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as the page shows it."""

    form: RowForm
    note: Note | None = None
    is_new: bool = False

    @property
    def name(self) -> str:
        return str(self.form.prefix)

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return self._without_hidden(self.form.main_fields)

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return self._without_hidden(self.form.more_fields)

    def _without_hidden(self, found: list[forms.BoundField]) -> list[forms.BoundField]:
        return [bound for bound in found if not self.note or bound.name not in self.note.hides]


class RowsBoundField(forms.BoundField):
    """A field of rows in a form: what its template shows."""

    field: "RowsField"

    def as_widget(self, widget: Any = None, attrs: Any = None, only_initial: bool = False) -> SafeString:
        if self.field.disabled:
            return SafeString()
        return render_to_string("components/rows_body.html", {"field": self})

    @cached_property
    def rows(self) -> list[ShownRow]:
        """The rows, and an empty one where the button for it was pressed."""
        lines = text_fields.split(str(self.value() or ""))
        found = [self._row(number, line) for number, line in enumerate(lines)]
        if self.form.data.get(ADD) == self.html_name:
            form = self.field.widget.form_of({}, f"{self.html_name}-{len(lines)}", judged=False)
            found.append(ShownRow(self.field.without_withheld(form), is_new=True))
        return found

    @property
    def summary(self) -> str:
        """How many rows were shown; empty for none."""
        return str(len(self.field.shown) or "")

    @property
    def empty_row(self) -> ShownRow:
        """The row that a script copies."""
        form = self.field.widget.formset(prefix=self.html_name).empty_form
        return ShownRow(self.field.without_withheld(form))

    @property
    def general_errors(self) -> list[str]:
        """What is wrong beside single rows, which show their own."""
        return [str(error) for found in self.errors.as_data() if found.code != _IN_ROW for error in found]

    def _row(self, number: int, line: str) -> ShownRow:
        is_judged = bool(self.errors) and line not in self.field.shown
        form = self.field.widget.form_of(as_row(line), f"{self.html_name}-{number}", judged=is_judged)
        form.offer_what_it_holds()
        return ShownRow(self.field.without_withheld(form), self.field.notes.get(line))


class RowsField(LinesField):
    """A field of rows, cleaned to the tuple of their entries; empty rows do not count."""

    widget: RowsWidget

    def __init__(self, syntax: Syntax[Any], row_form: type[RowForm], *, add: Any, **more: Any) -> None:
        forms.CharField.__init__(self, required=False, strip=False, widget=RowsWidget(row_form), **more)
        self.syntax, self.shown = syntax, frozenset()
        self.add_label = add
        self.notes: Mapping[str, Note] = {}
        self.withheld: tuple[str, Mapping[str, str]] = ("", {})
        self.template_name = "components/controls.html"
        self.bound_field_class = RowsBoundField

    def withhold(self, control: str, reasons: Mapping[str, str]) -> None:
        """Offer the control without these choices, and refuse rows that have one: why, by choice. Old ones stay."""
        self.withheld = (control, reasons)
        if reasons:
            labels = dict(_choice(self.widget.formset.form.base_fields[control]).choices)
            self.help_text = " · ".join(f"{labels[choice]}: {reason}" for choice, reason in reasons.items())

    def without_withheld(self, form: RowForm) -> RowForm:
        """Return the controls of a row, where nothing is offered that is withheld and that the row does not have."""
        control, reasons = self.withheld
        if reasons:
            field, held = _choice(form.fields[control]), form[control].value()
            field.choices = [pair for pair in field.choices if pair[0] == held or pair[0] not in reasons]
        return form

    def _entry(self, number: int, line: str) -> Any:
        if line in self.shown:
            return self.syntax.read(line)
        control, reasons = self.withheld
        if reason := reasons.get(as_row(line).get(control, "")):
            raise forms.ValidationError(reason, code="withheld")
        form = self.widget.form_of(as_row(line), judged=True)
        if not form.is_valid():
            raise forms.ValidationError(_("Row %(number)s is not valid."), code=_IN_ROW, params={"number": number})
        return self.syntax.read(as_line(form.clean_row()))


def _choice(field: forms.Field) -> Any:
    """The field, one of a few words; its choices are plain pairs in our forms."""
    assert isinstance(field, forms.ChoiceField)  # noqa: S101  # a mistake of ours, not of the person
    return field


def field_asked(data: Mapping[str, Any]) -> str:
    """Return the field whose button for rows was pressed; empty when none was."""
    return str(data.get(ADD) or data.get(REMOVE, "").rpartition("-")[0])


def asks_for_rows(data: Mapping[str, Any] | None) -> bool:
    """A button was pressed that adds or takes away a row: the form is shown again, and not judged."""
    return data is not None and (ADD in data or REMOVE in data)
