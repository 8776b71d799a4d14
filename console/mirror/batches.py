"""Commands for Redis of many objects, made into few: for lists of tens of thousands of objects."""

from collections.abc import Iterable, Sequence

Command = Sequence[str | bytes]

MAX_FIELDS = 500  # of one command: Redis hands no more than some thousands of arguments to a command of a script
MAX_BYTES = (
    1024 * 1024
)  # about; while Redis runs a script of that much, some 10 ms, others wait. One object may be larger
# How many words of a command say where it writes. What follows is written there, and may be more of the same.
_PLACE = {"HSET": 2, "HDEL": 2, "SADD": 2, "SREM": 2, "touched": 4}


class Batch:
    """Commands that go to Redis together. Those of one verb and key become one command.

    The order of commands with different verbs or keys is not kept: they must not depend on each other, as those of
    different objects do not.
    """

    def __init__(self) -> None:
        self._merged: dict[tuple[str | bytes, ...], list[str | bytes]] = {}
        self._others: list[Command] = []
        self._bytes = 0
        self._objects = 0

    @property
    def is_full(self) -> bool:
        return self._bytes >= MAX_BYTES or self._objects >= MAX_FIELDS

    def add(self, commands: Iterable[Command]) -> None:
        """Add the commands of one object."""
        self._objects += 1
        for command in commands:
            self._bytes += sum(map(len, command))
            if place := _PLACE.get(str(command[0])):
                self._merged.setdefault(tuple(command[:place]), []).extend(command[place:])
            else:
                self._others.append(command)

    def take(self) -> list[Command]:
        """Return the commands, and begin with none."""
        found = [*((*place, *rest) for place, rest in self._merged.items()), *self._others]
        self._merged, self._others = {}, []
        self._bytes = self._objects = 0
        return found
