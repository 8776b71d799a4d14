"""A deployed console gives browsers its look as one file, in the order in which later rules win."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import storages
from django.core.management import call_command
from django.template import engines

from console.settings import STORAGES
from console.web.style_sheets import JOINED, SHEETS

SOURCES = Path(__file__).parents[2] / "static"


def links() -> list[str]:
    page = engines["django"].from_string('{% include "_styles.html" %}').render()
    return re.findall(r'<link rel="stylesheet" href="/static/([^"]+)"', page)


@pytest.fixture
def collected(settings, tmp_path) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = STORAGES
    storages._storages = {}
    staticfiles_storage._wrapped = storages["staticfiles"]
    call_command("collectstatic", "--noinput", verbosity=0)
    yield tmp_path
    staticfiles_storage._setup()


def test_pages_name_one_file_that_has_every_sheet_in_its_order(collected: Path) -> None:
    (name,) = links()
    assert re.fullmatch(r"css/joined\.\w{12}\.css", name)
    text = (collected / name).read_text()
    places = [text.index((SOURCES / sheet).read_text().split("*/")[0]) for sheet in SHEETS]
    assert places == sorted(places)
    for address in re.findall(r'url\("([^"]+)"\)', text):
        assert (collected / "css" / address).exists(), address
    assert (collected / f"{name}.gz").exists()


def test_collecting_again_changes_nothing(collected: Path) -> None:
    before = links()
    call_command("collectstatic", "--noinput", verbosity=0)
    assert links() == before


def test_files_as_they_are_on_disk_are_named_one_by_one() -> None:
    assert links() == list(SHEETS)
    assert JOINED not in links()
