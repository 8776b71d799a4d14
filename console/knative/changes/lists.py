"""Editing a list by entry: what an edit does not name keeps its place and everything that it holds."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)
Raw = dict[str, Any]


def edit_list(
    present: Iterable[Raw],
    *,
    key: Callable[[Raw], Key | None],
    make: Callable[[Key], Raw],
    add: Sequence[Key],
    remove: Sequence[Key],
    order: Sequence[Key] = (),
) -> list[Raw]:
    """Return the list without the entries of `remove` and with those of `add` that it lacks.

    `key` is what an edit can say of an entry, None where it can say nothing: such an entry stays. `order` is the
    whole list as it is wanted, for an edit that does more than append; an entry that it does not name stays behind
    the one that it followed. A key that is both in `remove` and in `order` is wanted as often as `order` says.
    """
    kept: list[Raw] = []
    for entry in present:
        found = key(entry)
        count = sum(key(one) == found for one in kept)
        if found is None or found not in remove or count < order.count(found):
            kept.append(entry)
    there = {key(entry) for entry in kept}
    kept += [make(wanted) for wanted in add if wanted not in there]
    return _arranged(kept, key, order)


def _arranged(entries: list[Raw], key: Callable[[Raw], Key | None], order: Sequence[Key]) -> list[Raw]:
    """Return the entries in that order, each followed by those that it does not name and that followed it."""
    head: list[Raw] = []
    groups: list[tuple[Key | None, list[Raw]]] = []
    for entry in entries:
        if key(entry) in order:
            groups.append((key(entry), [entry]))
        else:
            (groups[-1][1] if groups else head).append(entry)
    arranged = list(head)
    for wanted in order:
        found = next((group for group in groups if group[0] == wanted), None)
        if found:
            groups.remove(found)
            arranged += found[1]
    return arranged + [entry for _key, group in groups for entry in group]
