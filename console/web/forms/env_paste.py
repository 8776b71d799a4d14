"""What a pasted text would do to the variables of a container, by name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.knative.changes import EnvEntry
from console.knative.containers import EnvVar
from console.knative.redaction import sealed
from console.mirror.sealing import seal_key
from console.web.forms.env_rows import Effect

MAX_SHOWN = 200  # differences
MAX_VALUE_SHOWN = 120  # characters


@dataclass(frozen=True, slots=True)
class Difference:
    """One variable of the text. `replaced` is what a reference that goes says."""

    entry: EnvEntry
    effect: Effect
    replaced: str = ""

    @property
    def shown(self) -> str:
        """The first line of the value, or where it comes from: what the person just pasted."""
        entry = self.entry
        text = f"{entry.object}/{entry.key}" if entry.source else entry.value.partition("\n")[0]
        return text if len(text) <= MAX_VALUE_SHOWN else text[:MAX_VALUE_SHOWN] + "…"

    @property
    def more_lines(self) -> int:
        return 0 if self.entry.source else self.entry.value.count("\n")


@dataclass(frozen=True, slots=True)
class Differences:
    """All of a text."""

    all: tuple[Difference, ...]

    @property
    def counts(self) -> Counter[Effect]:
        return Counter(one.effect for one in self.all)

    @property
    def effective(self) -> list[Difference]:
        return [one for one in self.all if one.effect != "same"]

    @property
    def listed(self) -> list[Difference]:
        return self.effective[:MAX_SHOWN]

    @property
    def unlisted(self) -> int:
        return max(0, len(self.effective) - MAX_SHOWN)


def differences(entries: Sequence[EnvEntry], present: Iterable[EnvVar]) -> Differences:
    """Compare with the variables that the container has; of several with one name, the last, which wins."""
    by_name = {variable.name: variable for variable in present}
    key = seal_key()
    return Differences(tuple(_difference(entry, by_name.get(entry.name), key) for entry in entries))


def _difference(entry: EnvEntry, present: EnvVar | None, key: bytes) -> Difference:
    if present is None:
        return Difference(entry, "new")
    if _is_same(entry, present, key):
        return Difference(entry, "same")
    return Difference(entry, "changed", present.source)


def _is_same(entry: EnvEntry, present: EnvVar, key: bytes) -> bool:
    """The mirror has a digest in the place of each value, so equal values are known without either being read."""
    if entry.source:
        return (entry.source, f"{entry.object}/{entry.key}") == (present.kind, present.reference)
    return not present.kind and present.value == sealed(entry.value, key)
