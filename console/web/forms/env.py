"""The variables of a container: one line each, fields for what is edited, and a .env file or YAML to paste.

A container may have thousands of variables. The form shows a page of them, by a filter on their names, and carries only
the lines that were touched: a line that is only shown has no fields, so it sends nothing and changes nothing. A line
that was touched sends `exists-N`, `name-N`, `nth-N` and `action-N` (set or remove), and with "set" `source-N`,
`value-N`, `reference-N`, and `empty-N` or `literal-N` when they are ticked; a new line sends `name-N` and the latter.
`rows` says that the table was sent at all.

The buttons of the table (edit, remove, undo, a new line, a page) are called `row` and send what was typed along, so
that the form works without JavaScript. With it, static/js/env.js does most of that in the page.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from console.knative.changes import Change, Combined, EnvPlace, SetEnv
from console.knative.containers import Container, EnvVar
from console.knative.limits import MAX_VARIABLES
from console.knative.problems import Problem
from console.web.forms.env_paste import Differences, differences
from console.web.forms.env_rows import Effect, EnvRow, present_rows, typed_rows
from console.web.forms.env_text import MAX_BYTES, MAX_PROBLEMS, Read, read_variables
from console.web.forms.image_pinning import DigestChoice

PAGE_SIZE = 100  # lines
MIN_FILTERED = 8  # lines: fewer are seen at a glance
NOWHERE = -2  # the index of a line that is in no table
MAX_OPEN = 500  # lines with fields: far below what one request may carry

Values = Mapping[tuple[str, int], str]


class EnvForm:
    """The variables of one container. Its rows hold what was typed, so nothing is lost when something is wrong.

    A fresh form opens the line that `edit` names (as its button does, or by its name), or else the only one.
    """

    max_open, max_bytes = MAX_OPEN, MAX_BYTES  # for the script

    def __init__(
        self,
        container: Container,
        data: Mapping[str, Any] | None = None,
        digest: DigestChoice | None = None,
        *,
        is_sidecar: bool = False,
        edit: str = "",
    ) -> None:
        self.container, self.is_sidecar = container, is_sidecar
        self.digest = digest or DigestChoice(container.name, {})
        self.paste = str(data.get("paste", "")) if data else ""
        self.is_paste_confirmed = bool(data and "paste_literal" in data)
        self.problems: list[Problem] = []
        self.present, self.new = typed_rows(container, data) if data is not None else (present_rows(container), [])
        self.filter = str(data.get("filter", "")).strip() if data else ""
        self.page_number = _number(str(data.get("page", ""))) if data else 1
        self.focus, self.is_revealed = -1, False  # the index of the line to type into next
        command = str(data.get("row", "")) if data else ""
        if data and not command and self.filter != str(data.get("filtered", "")).strip():
            command = "filter"  # Enter was pressed in the field of the filter
        self.is_arranging = bool(command)
        self._arrange(command)
        self.page_number = min(self.page_number, self.pages[-1])
        if data is None:
            self._begin(edit)

    @property
    def rows(self) -> list[EnvRow]:
        """The lines to show: the new ones, those of the page, and those that were touched wherever they are."""
        page = {row.index for row in self._page()}
        return self.new + [row for row in self.present if row.index in page or row.action != "keep"]

    @property
    def next_index(self) -> int:
        """The number of the next new line."""
        return max((row.index for row in (*self.present, *self.new)), default=-1) + 1

    @property
    def matching(self) -> list[EnvRow]:
        text = self.filter.lower()
        return [row for row in self.present if text in row.name.lower()]

    @property
    def pages(self) -> range:
        return range(1, (max(len(self.matching), 1) - 1) // PAGE_SIZE + 2)

    @property
    def previous_page(self) -> int | None:
        return self.page_number - 1 if self.page_number > 1 else None

    @property
    def next_page(self) -> int | None:
        return self.page_number + 1 if self.page_number < self.pages[-1] else None

    @property
    def blanks(self) -> list[tuple[str, EnvRow]]:
        """Lines with fields for the script to copy, by what they replace; it writes the name in place of %name%."""
        kinds = {"value": EnvVar({}), "reference": EnvVar({"valueFrom": {"secretKeyRef": {}}})}
        return [(kind, EnvRow("%name%", index=NOWHERE, variable=one, action="set")) for kind, one in kinds.items()]

    @property
    def blank(self) -> EnvRow:
        """A new line for the script to copy."""
        return EnvRow(index=NOWHERE, action="set")

    @property
    def needs_filter(self) -> bool:
        return len(self.present) > MIN_FILTERED

    @property
    def is_paged(self) -> bool:
        """The filter is for the server: the page does not have all lines."""
        return len(self.present) > PAGE_SIZE

    @property
    def has_values(self) -> bool:
        """There is something to reveal."""
        return any(not row.origin for row in self.present)

    @property
    def effects(self) -> Counter[Effect]:
        """How many lines are changed, new and removed."""
        return Counter(row.effect for row in self.touched)

    @property
    def differences(self) -> Differences:
        """What the pasted text would do, by name."""
        return differences(self._pasted[0], self.container.env)

    @property
    def touched(self) -> list[EnvRow]:
        return [row for row in (*self.present, *self.new) if row.action != "keep"]

    @property
    def is_edited(self) -> bool:
        """Something was typed that is more than an opened line."""
        return bool(self.paste or any(row.effect != "same" for row in self.touched))

    @property
    def repeated(self) -> list[str]:
        """The names that several variables share."""
        return sorted({row.name for row in self.present if row.of > 1})

    @property
    def has_problems(self) -> bool:
        return bool(self.problems or any(row.problems for row in self.touched))

    @property
    def asks_for_literals(self) -> bool:
        """The pasted file would replace references by plain values: that is to be confirmed."""
        return self.is_paste_confirmed or any(found.code == "env-paste-references" for found in self.problems)

    def reveal(self, values: Values, key: str = "") -> None:
        """Show the values, by name and which of several; with `key` that of one line alone."""
        self.is_revealed = not key
        for row in self.present:
            if key in ("", row.key):
                row.reveal(values.get((row.name, row.nth)))

    @property
    def revealed(self) -> list[EnvRow]:
        return [row for row in self.present if row.shown_value is not None]

    def is_valid(self) -> bool:
        """Read the paste, check every line; problems are then on the lines."""
        pasted, problems = self._pasted
        self.problems = list(problems)
        for row in self.touched:
            row.judge(is_sidecar=self.is_sidecar)
        kept = {row.name for row in self.present if row.action != "remove"}
        new = Counter(row.name for row in self.new)
        for row in self.new:
            if row.name and (row.name in kept or new[row.name] > 1):
                row.problems.append(Problem("env-name-duplicate", {"name": row.name}))
        typed = {row.name for row in self.touched if row.action == "remove" or row.is_meant}
        names = [entry.name for entry in pasted]
        twice = [name for name in names if name in typed]
        self.problems += [Problem("env-name-duplicate", {"name": name}) for name in twice[:MAX_PROBLEMS]]
        count = len(kept.union(names, (row.name for row in self.new if row.is_meant)))
        if count > MAX_VARIABLES and count > len(self.present):
            self.problems = [Problem("limit-variables", {"count": count, "limit": MAX_VARIABLES})]
        values = {entry.name for entry in pasted if not entry.source}
        references = sorted({row.name for row in self.present if row.is_reference and not row.is_outdone} & values)
        if references and not self.is_paste_confirmed:
            self.problems.append(Problem("env-paste-references", {"names": ", ".join(references)}))
        return not self.has_problems

    @property
    def change(self) -> Change | None:
        """The change that a valid form means; None when nothing was changed."""
        entries = tuple(row.entry for row in self.touched if row.is_meant)
        entries += self._pasted[0]
        removed = [row for row in self.present if row.action == "remove"]
        names = tuple(row.name for row in removed if row.of == 1)
        places = tuple(EnvPlace(row.name, row.nth, row.of) for row in removed if row.of > 1)
        if entries or removed:
            return self.digest.with_(SetEnv(self.container.name, entries, names, places))
        return Combined(self.digest.changes) if self.digest.resolves else None

    @cached_property
    def _pasted(self) -> Read:
        return read_variables(self.paste, is_sidecar=self.is_sidecar)

    def _page(self) -> list[EnvRow]:
        start = (self.page_number - 1) * PAGE_SIZE
        return self.matching[start : start + PAGE_SIZE]

    def _begin(self, edit: str) -> None:
        """Open what a person most likely came for."""
        if not self.present:
            self._add()
        for row in self.present:
            if edit in (row.key, row.name) if edit else len(self.present) == 1:
                self._turn(row, "edit")

    def _arrange(self, command: str) -> None:
        """Do what a button says: `edit:0:NAME`, `remove:`, `undo:`, `add`, `drop:12`, `page:2`, and so on."""
        verb, _, place = command.partition(":")
        if verb == "page":
            self.page_number = _number(place)
        elif verb == "filter":
            self.page_number = 1
        elif verb == "drop":
            self.new = [row for row in self.new if str(row.index) != place]
        elif verb in ("compare", "take"):
            self.problems += self._pasted[1]
        elif verb in ("add", "edit") and len(self.touched) >= MAX_OPEN:
            self._refuse_to_open()
        elif verb == "add":
            self._add()
        if verb == "take" and not self.problems:
            self._take()
        for row in self.present if verb in ("edit", "remove", "undo") and not self.problems else ():
            if row.key == place:
                self._turn(row, verb)

    def _turn(self, row: EnvRow, verb: str) -> None:
        self.focus = row.index
        if verb == "edit" and row.can_be_edited:
            row.open()
        elif verb == "remove":
            row.action = "remove"
        elif verb == "undo":
            row.action, row.value, row.problems = "keep", "", []

    def _add(self) -> None:
        self.new.append(EnvRow(index=self.next_index, action="set"))
        self.focus = self.new[-1].index

    def _take(self) -> None:
        """Make lines of the pasted variables that differ, and empty the field."""
        effective = self.differences.effective
        if len(self.touched) + len(effective) > MAX_OPEN:
            self._refuse_to_open()
            return
        by_name = {row.name: row for row in (*self.present, *self.new)}
        for one in effective:
            if one.entry.name not in by_name:
                self._add()
                by_name[one.entry.name] = self.new[-1]
                self.new[-1].name = one.entry.name
            by_name[one.entry.name].take(one.entry)
        self.paste, self.focus = "", -1

    def _refuse_to_open(self) -> None:
        self.problems.append(Problem("env-too-many-open", {"limit": MAX_OPEN}))


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1
