"""Every text has its Chinese, and the compiled catalogue is the source's."""

from __future__ import annotations

import ast
import gettext
import re
import string
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

from console.registry import ProbeResult
from console.web import cluster_words

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
# What templatize makes of {% translate %}, {% blocktranslate %} and _("...") in a tag.
_CALL = re.compile(r"""(?:n?gettext|_)\(u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
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
            found += [{}] if key == "msgid" and found[-1] else []  # no empty line stands between two merged blocks
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
        assert letters or entry["msgid"] in ("English", "Pod", "OK", "API"), entry["msgid"]


def test_resource_requests_are_not_told_as_requests_of_visitors() -> None:
    told = [entry["msgstr"] for entry in entries() if "resource request" in entry["msgid"]]
    assert told
    assert all("资源请求" in text for text in told)


def used_texts() -> set[str]:
    """Every text that templates and code ask a translation of."""
    found = set()
    for path in (ROOT / "templates").rglob("*.html"):
        found |= {ast.literal_eval(text) for text in _CALL.findall(templatize(path.read_text(encoding="utf8")))}
    for path in (ROOT / "console").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id in {"_", "gettext", "gettext_lazy", "ngettext"} and node.args:
                texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                found |= {text for text in texts[:1] if isinstance(text, str)}
    return found


def test_every_text_that_is_used_is_in_the_catalogue() -> None:
    assert sorted(used_texts() - {entry["msgid"] for entry in entries()}) == []


def test_whatever_is_wrong_with_a_cluster_has_words_for_people() -> None:
    codes = set()
    for path in (ROOT / "console" / "registry").rglob("*.py"):
        text = path.read_text(encoding="utf8")
        codes |= set(re.findall(r'InvalidCredential\("([a-z-]+)"', text)) | set(
            re.findall(r'"(kubeconfig-[a-z0-9-]+)"', text)
        )
    assert len(codes) > 20
    assert codes == set(cluster_words._INVALID_CREDENTIAL)
    assert set(ProbeResult) == set(cluster_words._PROBE_RESULTS)
