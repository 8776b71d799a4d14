"""What no linter of ours asks: a reason behind each place where a tool is told to look away, and short templates."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.web.joined_files import SCRIPTS, SHEETS
from tests.faults.mutations import MUTATIONS

ROOT = Path(__file__).parent.parent
SILENCED = re.compile(r"#\s*(?:type:\s*ignore\[[\w, -]+\]|(?:ruff:\s*)?noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)(.*)")
MAX_MODULE_LINES = 400
MAX_TEMPLATE_LINE = 140  # characters, as in pyproject.toml; neither djade nor djlint breaks or refuses a longer line
A_REASON = re.compile(r"\w+\W+\w+")


def without_reason(source: str) -> Iterator[int]:
    """Yield the number of each line that silences a tool and does not say why."""
    if not SILENCED.search(source):
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        found = SILENCED.search(token.string) if token.type == tokenize.COMMENT else None
        if found and not A_REASON.search(found[1]):
            yield token.start[0]


def test_no_tool_is_silenced_without_a_reason() -> None:
    files = [path for top in ("console", "tests") for path in (ROOT / top).rglob("*.py")]
    silent = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in without_reason(path.read_text(encoding="utf-8"))
    }
    assert not silent
    assert len(files) > 300


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("x = 1  # type: ignore[misc]", False),
        ("x = 1  # type: ignore[misc]  # why", False),
        ("x = 1  # type: ignore[misc, arg-type]  # the stubs leave it out", True),
        ("x = 1  # noqa: S311", False),
        ("x = 1  # noqa: S311, B905", False),
        ("x = 1  # noqa: S311 (no secret)", True),
        ("x = '# noqa: S311'", True),
        ("x = 1  # a comment", True),
    ],
)
def test_a_reason_is_two_words_after_the_code(line: str, is_told: bool) -> None:
    assert (list(without_reason(line)) == []) is is_told


def test_every_mutation_finds_its_place() -> None:
    """They are tried in their own tier, late: a line that was rewritten is told here, within a second."""
    lost = [one.name for one in MUTATIONS if (ROOT / one.file).read_text(encoding="utf-8").count(one.before) != 1]
    assert lost == []
    assert len(MUTATIONS) > 20


def test_no_module_is_longer_than_one_idea_needs() -> None:
    modules = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "console").rglob("*.py")}
    assert {str(path.relative_to(ROOT)): count for path, count in modules.items() if count > MAX_MODULE_LINES} == {}
    assert len(modules) > 300


def test_no_line_of_a_template_is_longer_than_a_screen_is_wide() -> None:
    templates = list((ROOT / "templates").rglob("*.html"))
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in templates
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > MAX_TEMPLATE_LINE
    ]
    assert not long
    assert len(templates) > 100


def test_each_script_says_what_it_does_and_a_page_loads_it() -> None:
    scripts = list((ROOT / "static" / "js").glob("*.js"))
    templates = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))
    of_every_page = {script.removeprefix("js/") for script in SCRIPTS.parts}
    by_name = set(re.findall(r"{% static 'js/([\w-]+\.js)' %}", templates))
    assert by_name | of_every_page == {path.name for path in scripts}
    assert [path.name for path in scripts if not path.read_text(encoding="utf-8").startswith("// ")] == []


def test_the_scripts_of_every_page_can_be_joined() -> None:
    """Each becomes a block, in which nothing of a module alone may be."""
    of_modules = re.compile(r"^(?:import|export|await)\b|\bimport\.meta\b", re.MULTILINE)
    texts = {script: (ROOT / "static" / script).read_text(encoding="utf-8") for script in SCRIPTS.parts}
    assert [name for name, text in texts.items() if of_modules.search(text)] == []


def test_each_style_says_what_it_is_for_is_loaded_once_and_needs_no_force() -> None:
    styles = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "static" / "css").glob("*.css")}
    templates = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html"))
    by_one_page = re.findall(r"'css/([\w-]+\.css)'", templates)
    loaded = [*by_one_page, *(sheet.removeprefix("css/") for sheet in SHEETS.parts)]
    assert sorted(loaded) == sorted(styles)
    rules = {name: re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) for name, text in styles.items()}
    assert [name for name, text in rules.items() if "!important" in text] == []
    assert [name for name, text in styles.items() if not text.startswith("/* ")] == []


def test_no_style_is_for_a_class_that_no_page_has() -> None:
    """A class that is put together from a fact (`state-{{ tone }}`) counts by its beginning."""
    sources = [
        *(ROOT / "templates").rglob("*.html"),
        *(ROOT / "static" / "js").glob("*.js"),
        *(ROOT / "console" / "web").rglob("*.py"),
    ]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    words, beginnings = set(re.findall(r"[\w-]+", text)), tuple(set(re.findall(r"([a-z]+-)(?:\{|\$\{)", text)))
    styles = [
        path for path in (ROOT / "static" / "css").glob("*.css") if path.name not in ("bootstrap.css", "yaml.css")
    ]
    rules = "".join(re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL) for path in styles)
    classes = {
        name for chosen in re.findall(r"([^{}]+)\{", rules) for name in re.findall(r"\.([a-zA-Z_][\w-]*)", chosen)
    }
    assert len(classes) > 200
    assert sorted(name for name in classes - words if not name.startswith(beginnings)) == []


def test_headings_without_a_class_get_smaller_by_level() -> None:
    rules = (ROOT / "static" / "css" / "frame.css").read_text(encoding="utf-8")
    sizes = [re.findall(rf"^h{level} {{[^}}]*font-size: ([\d.]+)rem", rules, re.MULTILINE) for level in (1, 2, 3)]
    assert all(len(size) == 1 for size in sizes), "Bootstrap's own size of a level is larger than a page's title"
    assert sorted(sizes, key=lambda size: float(size[0]), reverse=True) == sizes


def test_where_a_swap_scrolls_to_is_written_as_htmx_4_reads_it() -> None:
    """`show:window:top` of htmx 2 is read as an unknown place, and nothing is scrolled."""
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "console/web").rglob("*.py")]
    told = {
        modifier
        for path in files
        for modifier in re.findall(r"\b((?:show|scroll):[^\s\"']+)", path.read_text(encoding="utf-8"))
    }
    assert told <= {"show:top", "show:bottom", "scroll:top", "scroll:bottom"}
    assert "show:top" in told
