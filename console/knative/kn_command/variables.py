"""Environment variables as kn's flags `--env`, `--env-value-from` and `--env-from`.

A value is a variable of the shell: commands are kept and shown to people who may not see values.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.knative.kn_command.limits import KnLimit, NotInKn, refuse
from console.knative.kn_command.shell import quoted, shell_variables

Raw = Mapping[str, Any]
_KEYS = {"secretKeyRef": "secret", "configMapKeyRef": "cm"}
_SOURCES = {"secretRef": "secret", "configMapRef": "cm"}


def env_flags(before: Sequence[Raw], after: Sequence[Raw]) -> Iterator[str]:
    """Yield the flags that make the one list of variables of the other; raises NotInKn.

    kn sets every entry of a name, adds new ones at the end and takes away the first of a name.
    """
    old, new = _by_name(before), _by_name(after)
    touched = {name: None for name in {**old, **new} if old.get(name) != new.get(name)}
    changed = {name: None for name in new if name in touched}
    written = [new[entry["name"]][-1] if entry["name"] in changed else entry
               for entry in map(_entry, before) if entry["name"] in new]  # fmt: skip
    written += [new[name][-1] for name in changed if name not in old]
    is_twice = any(len(group.get(name, ())) > 1 for group in (old, new) for name in touched)
    refuse(KnLimit.VARIABLES, when=is_twice or written != list(map(_entry, after)))
    variables = shell_variables([*changed])
    yield from (_env_flag(new[name][-1], variables[name]) for name in changed)
    yield from (f"--env {quoted(f'{name}-')}" for name in touched if name not in new)


def _by_name(entries: Sequence[Raw]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for raw in entries:
        found.setdefault(str(raw.get("name", "")), []).append(_entry(raw))
    return found


def _entry(raw: Raw) -> dict[str, Any]:
    """An absent value is an empty one."""
    return {"name": "", **({} if "valueFrom" in raw else {"value": ""}), **raw}


def _env_flag(entry: Raw, variable: str) -> str:
    name = entry["name"]
    if set(entry) == {"name", "value"}:
        return f"--env {quoted(f'{name}=')}" + f'"${variable}"'
    kind, reference = _only(entry.get("valueFrom") or {})
    if set(entry) != {"name", "valueFrom"} or kind not in _KEYS or set(reference) != {"name", "key"}:
        raise NotInKn(KnLimit.VARIABLES)
    source = ":".join((_KEYS[kind], reference["name"], reference["key"]))
    return f"--env-value-from {quoted(f'{name}={source}')}"


def env_from_flags(before: Sequence[Raw], after: Sequence[Raw]) -> Iterator[str]:
    """Yield the flags that make the one list of sources of the other; raises NotInKn.

    kn adds at the end what is not there by kind and name, and takes away the first of a kind and name.
    """
    added = [raw for raw in after if raw not in before]
    refuse(KnLimit.ENV_FROM, when=any(added.count(raw) > 1 for raw in added))
    gone = [raw for raw in before if raw not in after]
    present = [_origin(raw) for raw in before]
    is_plain = all({kind: {"name": name}} == raw for raw in added for kind, name in [_origin(raw)])
    is_one = all(present.count(_origin(raw)) == 1 for raw in gone) and not any(_origin(raw) in present for raw in added)
    is_in_order = [*(raw for raw in before if raw not in gone), *added] == list(after)
    refuse(KnLimit.ENV_FROM, when=not (is_plain and is_one and is_in_order))
    for entries, ending in ((added, ""), (gone, "-")):
        yield from (f"--env-from {quoted(f'{_SOURCES[kind]}:{name}{ending}')}" for kind, name in map(_origin, entries))


def _origin(raw: Raw) -> tuple[str, str]:
    kind = "configMapRef" if raw.get("configMapRef") else "secretRef"
    return kind, str((raw.get(kind) or {}).get("name", ""))


def _only(found: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The one key of the mapping and what is under it; an empty key for none or several."""
    return next(iter(found.items())) if len(found) == 1 else ("", {})
