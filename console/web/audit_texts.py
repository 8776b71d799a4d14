"""The fixed parts of the texts of audit entries, in the reader's language.

Entries are written once, in English; names, reasons and codes in them are facts and stay as they are.
"""

import re
from functools import partial
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext_lazy


class _Part(NamedTuple):
    actions: re.Pattern[str]  # of the entries that may have the part
    part: re.Pattern[str]
    words: str | Promise  # with the groups of the pattern


def _of(actions: str, part: str, words: str | Promise) -> _Part:
    return _Part(re.compile(actions), re.compile(part), words)


def text(action: str, written: str) -> str:
    """Return the text of an entry of this action."""
    for one in _PARTS:
        if one.actions.match(action):
            written = one.part.sub(partial(_said, one.words), written)
    return written


def _said(words: str | Promise, found: re.Match[str]) -> str:
    facts = found.groupdict().items()
    return str(words % {name: int(value) if value.isdecimal() else value for name, value in facts})


_END = r"(?= · |$)"  # of a part of what happened outside
_PARTS = (
    _of(
        r"outside\.begin$",
        r"^(?P<counter>\d+) services$",
        ngettext_lazy("%(counter)s service", "%(counter)s services", "counter"),
    ),
    _of(
        r"outside\.|operation\.written-late$",
        rf"\bgeneration (?P<number>\d+){_END}",
        gettext_lazy("generation %(number)s"),
    ),
    _of(
        r"outside\.",
        rf"^generations (?P<first>\d+)–(?P<last>\d+){_END}",
        gettext_lazy("generations %(first)s–%(last)s"),
    ),
    _of(
        r"outside\.",
        rf"(?<= · )(?P<number>\d+) is operation (?P<operation>[0-9a-f-]+){_END}",
        gettext_lazy("%(number)s is operation %(operation)s"),
    ),
    _of(
        r"outside\.unrecorded$",
        rf"(?:^|(?<= · ))operation (?P<operation>[0-9a-f-]+) by (?P<person>.+) is not recorded{_END}",
        gettext_lazy("operation %(operation)s by %(person)s is not recorded"),
    ),
    _of(
        r"outside\.gone$",
        r"(?<= · )nothing is recorded from (?P<since>\S+) on$",
        gettext_lazy("nothing is recorded from %(since)s on"),
    ),
    _of(r"outside\.", r"(?<= · )not observed one by one$", gettext_lazy("not observed one by one")),
    _of(
        r"view\.AccessTest$",
        r"^(?P<count>\d+) requests(?= to the tag |$)",
        ngettext_lazy("%(count)s request", "%(count)s requests", "count"),
    ),
    _of(r"view\.AccessTest$", r" to the tag (?P<tag>\S+)$", gettext_lazy(" to the tag %(tag)s")),
    _of(
        r"view\.AccessTestEnd$",
        r"^(?P<received>\d+) of (?P<count>\d+) answered$",
        gettext_lazy("%(received)s of %(count)s responses received"),
    ),
    _of(
        r"session\.sign-(in|out)$",
        r"^method (?P<method>\S+), factor (?P<factor>.+)$",
        gettext_lazy("method %(method)s, factor %(factor)s"),
    ),
    _of(r"session\.sign-in$", r"^method (?P<method>[^:\s]+)(?=:|$)", gettext_lazy("method %(method)s")),
    _of(
        r"read\..+-more$",
        r"(?P<count>\d+) more from (?P<since>\S+) to (?P<until>\S+)$",
        gettext_lazy("%(count)s more from %(since)s to %(until)s"),
    ),
    _of(r"read\.logs", r"^revision (?P<revision>\S+?)(?=,|$)", gettext_lazy("revision %(revision)s")),
    _of(r"read\.audit", r"^page (?P<page>\S+?)(?=,|$)", gettext_lazy("page %(page)s")),
    _of(r"read\.audit", r"^token (?P<token>.+?)(?=, \d+ |$)", gettext_lazy("token %(token)s")),
    _of(r"session\.revoke$", r"^sessions: (?P<count>\d+)$", gettext_lazy("sessions: %(count)s")),
    _of(
        r"session\.revoke$",
        r"^a session of (?P<person>.+), by the identity provider$",
        gettext_lazy("a session of %(person)s, by the identity provider"),
    ),
    _of(r"second-factor\.", r"^(?P<type>\S+) of (?P<person>.+)$", gettext_lazy("%(type)s of %(person)s")),
    _of(r"token\.revoke$", r"^(?P<token>.+) of (?P<person>.+)$", gettext_lazy("%(token)s of %(person)s")),
    _of(r"token\.create$", r", until (?P<date>[\d-]+)$", gettext_lazy(", until %(date)s")),
    _of(r"reveal\.", r" and (?P<count>\d+) more$", gettext_lazy(" and %(count)s more")),
    _of(
        r".+\.refused$",
        r" \(and (?P<count>\d+) more times since the last such entry\)$",
        ngettext_lazy(
            " (and %(count)s more time since the last such entry)",
            " (and %(count)s more times since the last such entry)",
            "count",
        ),
    ),
    _of(
        r"manage\.(Add|Remove)Member$",
        r", by the group (?P<group>.+) of the identity provider$",
        gettext_lazy(", by the group %(group)s of the identity provider"),
    ),
    _of(r"manage\.CreatePerson$", r", by the identity provider$", gettext_lazy(", by the identity provider")),
)
