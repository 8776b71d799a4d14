"""People read standard English: no retired term (docs/glossary.md) in any text that they see."""

from __future__ import annotations

import re

import pytest

from tests.web.test_languages import entries, used_texts

RETIRED = (
    # translated-sounding English
    r"\bis no\b(?! longer)",
    r"\bstands?\b",
    r"\banew\b",
    r"\bwho(m)?ever\b",
    r"\bwhatever\b",
    r"\bfor (ever|good)\b",
    r"\b(go|goes|went) on\b",
    r"\bas in\b",
    r"\b(some|any|every|no)body\b",
    r"\bmeanwhile\b",
    r"\bany more\b",
    r"\btells?\b",
    r"\bmay not\b",
    r"\bone may\b",
    r"\bin all\b\.",
    r"\bof that name\b",
    r"\bEmpty:",
    r"^(Write|Give)\b",
    r"\bWhy can\b",
    # metaphors
    r"\b(broke|break|broken|glass)\b",
    r"\bwakes? up\b",
    r"\b(let|lets) in\b",
    r"\bopens? (your|this|nothing)\b",
    r"\bforgiven\b",
    # terms that have a standard name
    r"\banswer(s|ed|ing)?\b",
    r"\brights?\b",
    r"\b[Ll]east replicas\b",
    r"\b[Mm]ost replicas\b",
    r"\bMost requests at once\b",
    r"\bPlacement\b",
    r"\bTaints? that\b",
    r"\b[Cc]onfig maps?\b",
    r"\blower-case\b",
    r"\b[Aa]ccess tests?\b",
    r"\bfollows latest\b",
    r"\bDeadline in seconds\b",
    r"\bSecond factor\b",
    r"\bFreshness\b",
    r"\bBy hand\b",
    r"\bcolours\b",
    r"\bWhat to do\b",
    r"\bWhere from\b",
    r"^(Effect|Difference|Window|Variables|Mounts|Mounted|Begin|Addresses|Refusals|Explain|Asked|Usual|Wanted)$",
)
_PLACEHOLDER = re.compile(r"%\(\w+\)s")


def retired_terms(text: str) -> list[str]:
    """The patterns of retired terms that a text has, its placeholders left out."""
    return [term for term in RETIRED if re.search(term, _PLACEHOLDER.sub("…", text), re.IGNORECASE)]


def shown_texts() -> set[str]:
    """The English of the catalogue, with its plurals, and of templates and code."""
    of_catalogue = (entry.get(key) for entry in entries() for key in ("msgid", "msgid_plural"))
    return {text for text in of_catalogue if text} | used_texts()


def test_no_text_has_a_retired_term() -> None:
    found = {text: terms for text in sorted(shown_texts()) if (terms := retired_terms(text))}
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "Least replicas",
        "“%(name)s” is no name: a letter first.",
        "The kept credential is not shown; another address needs it anew.",
        "Whoever may manage a namespace grants roles there.",
        "The cluster does not answer.",
        "Break the glass and apply",
        "Nobody grants more than they have.",
        "A label stands here twice.",
    ],
)
def test_a_retired_term_is_found(text: str) -> None:
    assert retired_terms(text)


def test_a_name_of_a_placeholder_is_no_word() -> None:
    assert retired_terms("Next start: %(answers)s") == []
