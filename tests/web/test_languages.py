"""Every text has its Chinese, and the compiled catalogue is the source's."""

from __future__ import annotations

import ast
import gettext
import re
import string
from pathlib import Path

import pytest

CATALOGUE = Path(__file__).resolve().parents[2] / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
_LINE = re.compile(r'(msgid_plural|msgid|msgstr)(?:\[\d\])? (".*")$')


def entries() -> list[dict[str, str]]:
    """The texts of the .po file: msgid, msgid_plural, msgstr."""
    found: list[dict[str, str]] = [{}]
    key = ""
    for line in CATALOGUE.read_text(encoding="utf8").splitlines():
        if not line or line.startswith("#"):
            found += [{}] if found[-1] else []
        elif match := _LINE.match(line):
            key = match[1]
            found[-1][key] = ast.literal_eval(match[2])
        else:
            found[-1][key] += ast.literal_eval(line)
    return [entry for entry in found if entry.get("msgid")]


@pytest.fixture(scope="module")
def compiled() -> gettext.GNUTranslations:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def test_every_text_is_translated() -> None:
    assert [entry["msgid"] for entry in entries() if not entry["msgstr"]] == []
    assert len(entries()) > 400


def test_the_compiled_catalogue_is_the_sources(compiled: gettext.GNUTranslations) -> None:
    for entry in entries():
        plural = entry.get("msgid_plural")
        found = compiled.ngettext(entry["msgid"], plural, 2) if plural else compiled.gettext(entry["msgid"])
        assert found == entry["msgstr"]


def test_a_translation_keeps_the_facts_that_it_is_given() -> None:
    names = re.compile(r"%\((\w+)\)s")
    for entry in entries():
        given = set(names.findall(entry["msgid"])) | set(names.findall(entry.get("msgid_plural", "")))
        assert set(names.findall(entry["msgstr"])) == given, entry["msgid"]


def test_a_translation_is_chinese_unless_the_text_is_a_name() -> None:
    for entry in entries():
        letters = [letter for letter in entry["msgstr"] if letter not in string.printable]
        assert letters or entry["msgid"] in ("English", "Pod", "OK"), entry["msgid"]
