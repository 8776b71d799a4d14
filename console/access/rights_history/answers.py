"""Who could do what at a moment, as far as the reader audits it, and how much of that the log knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from console.access.auditing import audits_some_of, concerns
from console.access.authorization import Rights
from console.access.rights_history import moments
from console.access.rights_history.holders import Asked, Holding, holdings
from console.access.rights_history.moments import Gap, Known
from console.audit.models import Entry


@dataclass(frozen=True, slots=True)
class Answer:
    """The rights of the moment. `unreadable` are entries of which a redaction took rows; `doubt` see Known.doubt."""

    moment: datetime
    asked: Asked
    known: Known
    rows: tuple[Holding, ...]
    unreadable: tuple[int, ...]
    is_audited: bool

    @property
    def is_known(self) -> bool:
        return self.known.covers(self.moment)

    @property
    def doubt(self) -> Gap | None:
        return self.known.doubt(self.moment)

    @property
    def is_complete(self) -> bool:
        """Whether the log tells all rights of the moment."""
        return self.is_known and not self.doubt and not self.unreadable

    def facts(self) -> dict[str, Any]:
        """Return what was asked, and what is known, as exports have it beside the rows."""
        return {
            "moment": self.moment.isoformat(),
            "cluster": self.asked.cluster,
            "namespace": self.asked.namespace,
            "permission": self.asked.permission,
            "recording_began": self.known.since.isoformat() if self.known.since else "",
            "log_is_complete": self.is_complete,
            "in_doubt": self.doubt.told if self.doubt else "",
            "redacted_entries": list(self.unreadable),
        }


def ask(rights: Rights, moment: datetime, asked: Asked) -> Answer:
    """Return the answer from the log alone, of what a person with these rights audits now."""
    is_audited = audits_some_of(rights, asked.cluster, asked.namespace)
    replay = moments.state_at(moment)
    rows = holdings(replay.state, moment, asked, partial(concerns, rights)) if is_audited else []
    return Answer(moment, asked, moments.known(), tuple(rows), tuple(replay.unreadable), is_audited)


def with_entries(rows: Iterable[Holding]) -> list[tuple[Holding, list[tuple[int, Entry | None]]]]:
    """Return the rows with the entries by which they came about: who gave the right when; None: in an archive."""
    given = list(rows)
    numbers = {number for row in given for number in row.entries}
    told = Entry.objects.defer("changes").in_bulk(numbers)
    return [(row, [(number, told.get(number)) for number in row.entries]) for row in given]
