"""Find what nobody uses: vulture on the code, with the users that vulture cannot see, and the blocks of templates.

`python -m tests.dead_code` prints each finding and exits 1 when there is one. Tests are no users: code that only they
call is dead. Names that something else calls by their name stand in [tool.vulture] of pyproject.toml, with the reason.
"""

import ast
import importlib
import os
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import allauth
import django
from vulture.core import Item, Vulture

ROOT = Path(__file__).parent.parent
TAG = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
WORD = re.compile(r"[A-Za-z_]\w*")
DOTTED = re.compile(r"[\w.]+[.:](\w+)")
LOOKUP = re.compile(r"[-\w]+")
FIELDS = {"models.py", "models", "forms"}
BLOCK = re.compile(r"\{%-?\s*block (\w+)")


def names_in_templates(templates: Iterable[str]) -> set[str]:
    """Return the words of all tags: variables, their attributes, filters."""
    return {word for text in templates for tag in TAG.findall(text) for word in WORD.findall(" ".join(tag))}


def names_in_strings(sources: Iterable[str]) -> Iterator[str]:
    """Yield the last part of each dotted name in a string: `"console.heartbeat:Scheduler"`."""
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := DOTTED.fullmatch(node.value)):
            yield found[1]


def names_in_queries(sources: Iterable[str]) -> Iterator[str]:
    """Yield the names of columns as Django takes them: keywords of calls, and strings."""
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.keyword) and node.arg:
            yield from node.arg.split("__")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and LOOKUP.fullmatch(node.value):
            yield from node.value.lstrip("-").split("__")


def is_called_by_a_library(item: Item) -> bool:
    """A class of the module overrides a name of a class that is not ours: that class calls it."""
    module = importlib.import_module(".".join(item.filename.relative_to(ROOT).with_suffix("").parts))
    bases = {base for one in vars(module).values() if isinstance(one, type) for base in one.__mro__}
    return any(hasattr(base, item.name) for base in bases if not base.__module__.startswith("console"))


def unused_code(paths: Iterable[Path]) -> list[Item]:
    """Return what is defined under these paths, is not in a migration, and is used by nothing."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["vulture"]
    checked = Vulture(ignore_names=settings["ignore_names"], ignore_decorators=settings["ignore_decorators"])
    checked.scavenge([str(path) for path in paths])
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "console").rglob("*.py")}
    known = names_in_templates(texts(ROOT / "templates"))
    known |= set(names_in_strings(sources.values()))
    columns = set(names_in_queries(sources.values()))
    return [
        item
        for item in checked.get_unused_code(min_confidence=60)
        if item.name not in known and not _is_used_by_django(item, columns) and not is_called_by_a_library(item)
    ]


def _is_used_by_django(item: Item, columns: set[str]) -> bool:
    """Migrations are run, settings are read, fields of models and forms are named by queries, data and strings."""
    parts = item.filename.relative_to(ROOT).parts
    if "migrations" in parts or parts[-1] == "settings.py":
        return True
    is_field = item.typ == "variable"
    return is_field and (_is_sent(parts) or (bool(FIELDS & set(parts)) and item.name in columns))


def _is_sent(parts: tuple[str, ...]) -> bool:
    """The fields of these classes are what clients read: of the API, and of a cluster's objects."""
    return parts[:3] == ("console", "web", "api") or parts[-2:] == ("sandbox", "shapes.py")


def texts(folder: Path) -> list[str]:
    """Return all templates of a folder."""
    return [path.read_text(encoding="utf-8") for path in folder.rglob("*.*") if path.suffix in (".html", ".txt")]


def lonely_blocks(ours: Iterable[str], theirs: Iterable[str] = ()) -> list[str]:
    """Return the names of our blocks that stand in one template alone: nobody fills them, or nobody offers them."""
    found = [set(BLOCK.findall(text)) for text in ours]
    count = Counter(name for names in (*found, *(set(BLOCK.findall(text)) for text in theirs)) for name in names)
    return sorted(name for name in set().union(*found) if count[name] == 1)


def main() -> int:
    """Print every finding; return how the program exits."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    items = unused_code([ROOT / "console", ROOT / "manage.py"])
    for item in items:
        print(f"{item.filename.relative_to(ROOT)}:{item.first_lineno}: unused {item.typ} {item.name}")
    blocks = lonely_blocks(texts(ROOT / "templates"), texts(Path(allauth.__file__).parent / "templates"))
    for block in blocks:
        print(f"templates: block {block} is in one template alone")
    return 1 if items or blocks else 0


if __name__ == "__main__":
    sys.exit(main())
