"""The variables of a container: one line each, fields for what is edited, and a .env file to paste.

A container may have thousands of variables. The form shows a page of them, by a filter on their names, and carries only
the lines that were touched; its buttons (edit, remove, undo, a new line, a page) send what was typed along, so that it
works without JavaScript.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from console.knative.changes import Change, Combined, EnvPlace, SetEnv
from console.knative.containers import Container
from console.knative.limits import MAX_VARIABLES
from console.knative.problems import Problem
from console.web.forms.dotenv import MAX_PROBLEMS, parse_env_lines
from console.web.forms.env_rows import EnvRow, present_rows, typed_rows
from console.web.forms.image_pinning import DigestChoice

PAGE_SIZE = 100  # lines
MAX_OPEN = 500  # lines with fields: far below what one request may carry

Values = Mapping[tuple[str, int], str]


class EnvForm:
    """The variables of one container. Its rows hold what was typed, so nothing is lost when something is wrong."""

    def __init__(
        self,
        container: Container,
        data: Mapping[str, Any] | None = None,
        digest: DigestChoice | None = None,
        *,
        is_sidecar: bool = False,
    ) -> None:
        self.container, self.is_sidecar = container, is_sidecar
        self.digest = digest or DigestChoice(container.name, {})
        self.paste = str(data.get("paste", "")) if data else ""
        self.is_paste_confirmed = bool(data and "paste_literal" in data)
        self.problems: list[Problem] = []
        self.present, self.new = typed_rows(container, data) if data is not None else (present_rows(container), [])
        self.filter = str(data.get("filter", "")).strip() if data else ""
        self.page_number = _number(str(data.get("page", ""))) if data else 1
        self.focus, self.is_revealed = "", False
        command = str(data.get("row", "")) if data else ""
        if data and not command and self.filter != str(data.get("filtered", "")).strip():
            command = "filter"  # Enter was pressed in the field of the filter
        self.is_arranging = bool(command)
        self._arrange(command)
        if data is None or not self.new:
            self._add()

    @property
    def rows(self) -> list[EnvRow]:
        """The lines to show: those of the page, those that were touched wherever they are, the new ones."""
        page = {row.index for row in self._page()}
        return [row for row in self.present if row.index in page or row.action != "keep"] + self.new

    @property
    def next_index(self) -> int:
        return len(self.present) + len(self.new)

    @property
    def matching(self) -> list[EnvRow]:
        text = self.filter.lower()
        return [row for row in self.present if text in row.name.lower()]

    @property
    def pages(self) -> range:
        return range(1, (max(len(self.matching), 1) - 1) // PAGE_SIZE + 2)

    @property
    def needs_filter(self) -> bool:
        return len(self.present) > PAGE_SIZE

    @property
    def touched(self) -> list[EnvRow]:
        return [row for row in (*self.present, *self.new) if row.action != "keep"]

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

    def reveal(self, values: Values) -> None:
        """Show the values, by name and which of several."""
        self.is_revealed = True
        for row in self.present:
            row.reveal(values.get((row.name, row.nth)))

    def is_valid(self) -> bool:
        """Read the paste, check every line; problems are then on the lines."""
        pasted, self.problems = parse_env_lines(self.paste, is_sidecar=self.is_sidecar)
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
        references = sorted({row.name for row in self.present if row.is_reference and not row.is_outdone} & set(names))
        if references and not self.is_paste_confirmed:
            self.problems.append(Problem("env-paste-references", {"names": ", ".join(references)}))
        return not self.has_problems

    @property
    def change(self) -> Change | None:
        """The change that a valid form means; None when nothing was changed."""
        entries = tuple(row.entry for row in self.touched if row.is_meant)
        entries += parse_env_lines(self.paste, is_sidecar=self.is_sidecar)[0]
        removed = [row for row in self.present if row.action == "remove"]
        names = tuple(row.name for row in removed if row.of == 1)
        places = tuple(EnvPlace(row.name, row.nth, row.of) for row in removed if row.of > 1)
        if entries or removed:
            return self.digest.with_(SetEnv(self.container.name, entries, names, places))
        return Combined(self.digest.changes) if self.digest.resolves else None

    def _page(self) -> list[EnvRow]:
        start = (min(self.page_number, self.pages[-1]) - 1) * PAGE_SIZE
        return self.matching[start : start + PAGE_SIZE]

    def _arrange(self, command: str) -> None:
        """Do what a button of the table says: `edit:0:NAME`, `remove:`, `undo:`, `add`, `filter`, `page:2`."""
        verb, _, place = command.partition(":")
        if verb == "page":
            self.page_number = _number(place)
        elif verb == "filter":
            self.page_number = 1
        elif verb in ("add", "edit") and len(self.touched) >= MAX_OPEN:
            self.problems.append(Problem("env-too-many-open", {"limit": MAX_OPEN}))
        elif verb == "add":
            self._add()
        for row in self.present if verb in ("edit", "remove", "undo") and not self.problems else ():
            if row.key == place:
                self._turn(row, verb)

    def _turn(self, row: EnvRow, verb: str) -> None:
        self.focus = row.key
        if verb == "edit" and row.can_be_edited:
            row.open()
        elif verb == "remove":
            row.action = "remove"
        elif verb == "undo":
            row.action, row.value, row.problems = "keep", "", []

    def _add(self) -> None:
        self.new.append(EnvRow(index=self.next_index, action="set"))


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1
