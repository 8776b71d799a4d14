"""Finding any of many values in a text, in a time that hardly grows with the number of values.

A manifest can bring thousands of values and thousands of texts, so that looking for each in each would take minutes.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator

START = 4  # characters by which a place in a text is a place worth looking at; no value may be shorter
MAX_KEY = 4096  # characters by which values are told apart; longer ones are compared one by one
FEW = 12  # beginnings that are found faster one by one than by a walk through the text


class ValueIndex:
    """Values, each of at least START characters, found wherever they begin in a text.

    Keys are the values cut to MAX_KEY, sorted. Every key that a text begins with is also a beginning of the last key
    that is not behind the text; so one look into the sorted keys finds them, the longest first.
    """

    def __init__(self, values: Iterable[str]) -> None:
        self._values: dict[str, list[str]] = {}
        for value in sorted(set(values), key=lambda one: -len(one)):
            self._values.setdefault(value[:MAX_KEY], []).append(value)
        self._keys = sorted(self._values)
        self._shorter = _beginnings(self._keys)
        self._longest_key = max(map(len, self._keys), default=0)
        self._starts = {key[:START] for key in self._keys}

    def matches(self, text: str) -> Iterator[tuple[int, Iterator[str]]]:
        """Yield (place, the values that are there, the longest first), in the order of places."""
        for place in self._places(text):
            yield place, (one for key in self._keys_at(text, place) for one in self._long(key, text, place))

    def _places(self, text: str) -> Iterable[int]:
        if not self._starts:
            return ()
        if len(self._starts) <= FEW:
            found = [_every(start, text) for start in self._starts if start in text]
            return heapq.merge(*found) if len(found) > 1 else found[0] if found else ()
        return (place for place in range(len(text) - START + 1) if text[place : place + START] in self._starts)

    def _keys_at(self, text: str, place: int) -> Iterator[str]:
        """The keys at the place, the longest first."""
        rest = text[place : place + self._longest_key]
        key: str | None = None
        while key is None and (position := bisect_right(self._keys, rest)):
            found = self._keys[position - 1]
            common = _common(found, rest)
            if common == len(found):
                key = found
            rest = rest[:common]  # the text here begins with at most that
        while key is not None:
            yield key
            key = self._shorter.get(key)

    def _long(self, key: str, text: str, place: int) -> Iterator[str]:
        return (value for value in self._values[key] if len(value) == len(key) or text.startswith(value, place))


def _every(start: str, text: str) -> Iterator[int]:
    """Every place of `start` in the text, also where two overlap. No expression is compiled for values seen once."""
    place = text.find(start)
    while place >= 0:
        yield place
        place = text.find(start, place + 1)


def _common(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _beginnings(keys: list[str]) -> dict[str, str]:
    """For each of the sorted keys the longest other one that it begins with, where there is one."""
    found: dict[str, str] = {}
    open_keys: list[str] = []
    for key in keys:
        while open_keys and not key.startswith(open_keys[-1]):
            open_keys.pop()
        if open_keys:
            found[key] = open_keys[-1]
        open_keys.append(key)
    return found


NO_VALUES = ValueIndex(())
