"""Maps of texts as kn's flags: what is set, and what goes away."""

from collections.abc import Iterable, Mapping

from console.knative.kn_command.shell import quoted


def set_entries(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return what is new or has another value."""
    return {key: value for key, value in after.items() if before.get(key) != value}


def gone_entries(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [key for key in before if key not in after]


def pair_flags(flag: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[str]:
    """Yield `--flag key=value` for what is set and `--flag key-` for what goes away."""
    yield from (f"{flag} {quoted(f'{key}={value}')}" for key, value in set_entries(before, after).items())
    yield from (f"{flag} {quoted(f'{key}-')}" for key in gone_entries(before, after))
