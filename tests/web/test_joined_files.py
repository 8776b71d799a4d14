"""A deployed console gives browsers its look and its scripts as one file each, in the order of their parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import storages
from django.core.management import call_command
from django.template import engines

from console.settings import STORAGES
from console.web.joined_files import SCRIPTS, SHEETS, Joined

SOURCES = Path(__file__).parents[2] / "static"
BOTH = pytest.mark.parametrize("joined", [SHEETS, SCRIPTS], ids=["sheets", "scripts"])


def named(joined: Joined) -> list[str]:
    """What a page loads of these."""
    page = engines["django"].from_string('{% include "_styles.html" %}{% include "_scripts.html" %}').render()
    ending = Path(joined.path).suffix
    found = re.findall(r'(?:rel="stylesheet" href|src)="/static/([^"]+)"', page)
    return [one for one in found if one.endswith(ending)]


@pytest.fixture
def collected(settings, tmp_path) -> Path:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = STORAGES
    storages._storages = {}
    staticfiles_storage._wrapped = storages["staticfiles"]
    call_command("collectstatic", "--noinput", verbosity=0)
    yield tmp_path
    staticfiles_storage._setup()


@BOTH
def test_pages_name_one_file_that_has_every_part_in_its_order(collected: Path, joined: Joined) -> None:
    (name,) = named(joined)
    path = Path(joined.path)
    assert re.fullmatch(rf"{path.with_suffix('')}\.\w{{12}}{path.suffix}", name)
    text = (collected / name).read_text()
    places = [text.index((SOURCES / part).read_text()[:80].split("*/")[0]) for part in joined.parts]
    assert places == sorted(places)
    assert (collected / f"{name}.gz").exists()


def test_addresses_in_the_joined_sheet_hold(collected: Path) -> None:
    (name,) = named(SHEETS)
    found = re.findall(r'url\("([^"]+)"\)', (collected / name).read_text())
    assert found
    assert [address for address in found if not (collected / "css" / address).exists()] == []


@BOTH
def test_collecting_again_changes_nothing(collected: Path, joined: Joined) -> None:
    before = named(joined)
    call_command("collectstatic", "--noinput", verbosity=0)
    assert named(joined) == before


@BOTH
def test_files_as_they_are_on_disk_are_named_one_by_one(joined: Joined) -> None:
    assert tuple(named(joined)) == joined.parts
    assert joined.path not in named(joined)


def test_a_script_keeps_its_names_and_its_failure_to_itself() -> None:
    assert SCRIPTS.text([b"const one = 1;", b"const one = 2;"]) == (
        b"try {\nconst one = 1;\n} catch (error) {\n  reportError(error);\n}\n"
        b"try {\nconst one = 2;\n} catch (error) {\n  reportError(error);\n}"
    )
