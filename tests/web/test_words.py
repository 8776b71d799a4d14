"""People read standard English: no retired term (docs/glossary.md) in any text that they see."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from console.knative.objects import Revision
from console.web import words
from console.web.templatetags.sluice import breakable, source_words
from tests import factories
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
    r"\b(broke|(?<!line )break|broken|glass)\b",
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
    r"\bReplicas (at first|when)\b",
    r"\bTarget for each\b",
    r"\bVariables from\b",
    r"\b[Kk]ey of a\b",
    r"^Pull (secrets|policy)$",
    r"^User id$",
    r"\bReady-made\b",
    r"\bFill up\b",
    r"\bServing now\b",
    r"\bChange many\b",
    r"\bWhat will happen\b",
    r"\bBack to the form\b",
    r"\bHow long it may take\b",
    r"\b[Dd]ry run (accepts|refuses)\b",
    r"\bwill be gone\b",
    r"\bis real and\b|\bmaking it real\b",
    r"\bstarts and ends again\b|\bended again and again\b",
    r"\bown message\b",
    r"\blast lines\b",
    r"\bWaiting for a worker\b",
    r"\bwhat chance\b",
    r"\bsigns in by\b",
    r"\bTrue as of\b",
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


@pytest.mark.parametrize(
    ("age", "chinese"), [("20s", "20 秒"), ("3m", "3 分钟"), ("5h", "5 小时"), ("9d", "9 天"), ("2y", "2 年")]
)
def test_an_age_has_the_units_of_the_readers_language(age: str, chinese: str) -> None:
    assert words.age(age) == age
    with override("zh-hans"):
        assert words.age(age) == chinese
        assert words.age("<unknown>") == "<unknown>"


def test_a_resource_is_called_as_the_form_calls_it() -> None:
    assert [words.resource(name, "limit") for name in ("cpu", "memory", "nvidia.com/gpu")] == [
        "CPU limit", "Memory limit", "nvidia.com/gpu limit",
    ]  # fmt: skip


def test_the_digest_that_an_image_is_pinned_to_is_told_in_the_readers_language() -> None:
    revision = Revision(factories.revision("shop", 4))
    assert " (pinned to " in revision.image_text
    assert words.image(revision) == revision.image_text
    with override("zh-hans"):
        assert words.image(revision) == revision.image_text.replace(" (pinned to ", "（固定到 ").replace(")", "）")


def test_a_name_continues_behind_its_separators_and_a_version_stays_whole() -> None:
    assert breakable("shop/cart:1.2.1") == "shop/<wbr>cart:<wbr>1.2.1"
    assert breakable("http://cart.shop.example.com") == "http://<wbr>cart.<wbr>shop.<wbr>example.<wbr>com"
    assert breakable("") == ""


def test_a_source_is_told_in_the_readers_language() -> None:
    assert source_words("config map flags, secret db (DB_…)") == "ConfigMap flags, Secret db (DB_…)"
    with override("zh-hans"):
        assert source_words("field metadata.name") == "字段 metadata.name"
        assert source_words("empty directory") == "空目录"
        assert source_words("secret") == "secret", "a volume's own name"
