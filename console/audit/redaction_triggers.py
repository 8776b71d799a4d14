"""What an entry may become: one field its redacted form, in the words of the newest entry. For both databases.

No database can make the salted hash or the signature; console.audit.redactions checks these. Used by migration 0007.
"""
# ruff: noqa: S608  only our own names are put into these statements

from console.audit.triggers import POSTGRESQL, REDACTED, RETAINED, SQLITE, TABLE

_SAYS = "the audit log is append-only: a redaction is told by the newest entry"
_KEPT = (
    *("sequence", "at", "actor_id", "ip", "roles", "team", "cluster", "namespace", "service", "action", "outcome"),
    *("operation", "request_id", "previous_hash", "hash"),
)
_SIDES = "(SELECT 'before' AS side UNION ALL SELECT 'after') AS sides"


def _only(*changed: str, same: str) -> str:
    """Whether nothing differs but these columns."""
    others = (*_KEPT, *(name for name in ("actor", "text", "changes") if name not in changed))
    return " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in others)


def _is_mark(text: str) -> str:
    return (
        f"(substr({text}, 1, 16) = 'redacted scrypt$' AND length({text}) = 113)"  # a statement may hold no LIKE: its %
    )


def _told(field: str, mark: str) -> str:
    words = (
        f"'entry ' || OLD.sequence || ', hash ' || OLD.hash || ', field ' || {field} || ', becomes ' || {mark} || ','"
    )
    return f"""EXISTS (SELECT 1 FROM {TABLE} WHERE sequence = (SELECT max(sequence) FROM {TABLE})
        AND action = '{REDACTED}' AND substr(text, 1, length({words})) = {words})"""


def _column(name: str, same: str) -> str:
    return f"""({_only(name, same=same)} AND OLD.{name} <> '' AND NOT {_is_mark(f"OLD.{name}")}
        AND {_is_mark(f"NEW.{name}")} AND {_told(f"'{name}'", f"NEW.{name}")})"""


def _allowed(in_changes: str, same: str) -> str:
    return f"""OLD.action NOT IN ('{REDACTED}', '{RETAINED}') AND (
        {_column("text", same)} OR (OLD.actor_id IS NULL AND OLD.outcome = 'refused' AND {_column("actor", same)})
        OR ({_only("changes", same=same)} AND {in_changes}))"""


def _in_changes(rows: str, number: str, was: str, becomes: str, is_the_rest_kept: str) -> str:
    field = f"'changes[' || {number} || '].' || sides.side"
    return f"""EXISTS (SELECT 1 FROM {rows}, {_SIDES} WHERE {_is_mark(becomes)} AND NOT {_is_mark(was)}
        AND {is_the_rest_kept} AND {_told(field, becomes)})"""


_SQLITE_PATH = "'$[' || rows.key || '].' || sides.side"
_SQLITE_ALLOWED = _allowed(
    _in_changes(
        "json_each(OLD.changes) AS rows",
        "rows.key",
        f"json_extract(OLD.changes, {_SQLITE_PATH})",
        f"json_extract(NEW.changes, {_SQLITE_PATH})",
        f"json(NEW.changes) = json_set(json(OLD.changes), {_SQLITE_PATH}, json_extract(NEW.changes, {_SQLITE_PATH}))",
    ),
    "IS",
)
_POSTGRESQL_PATH = "ARRAY[rows.key::text, sides.side]"
_POSTGRESQL_ALLOWED = _allowed(
    _in_changes(
        "generate_series(0, jsonb_array_length(OLD.changes) - 1) AS rows(key)",
        "rows.key",
        f"(OLD.changes #>> {_POSTGRESQL_PATH})",
        f"(NEW.changes #>> {_POSTGRESQL_PATH})",
        f"NEW.changes = jsonb_set(OLD.changes, {_POSTGRESQL_PATH}, to_jsonb(NEW.changes #>> {_POSTGRESQL_PATH}))",
    ),
    "IS NOT DISTINCT FROM",
)

_DROP_SQLITE = f"DROP TRIGGER {TABLE}_no_update"
_DROP_POSTGRESQL = f"DROP TRIGGER {TABLE}_no_update ON {TABLE}"

REDACTING_SQLITE = [
    _DROP_SQLITE,
    f"""CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} FOR EACH ROW WHEN coalesce(NOT ({_SQLITE_ALLOWED}), 1)
        BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END""",
]
REDACTING_SQLITE_DROP = [_DROP_SQLITE, next(one for one in SQLITE if f"{TABLE}_no_update" in one)]
REDACTING_POSTGRESQL = [
    _DROP_POSTGRESQL,
    f"""CREATE FUNCTION {TABLE}_is_redacted() RETURNS trigger AS $$
        BEGIN
            IF coalesce({_POSTGRESQL_ALLOWED}, false) THEN RETURN NEW; END IF;
            RAISE EXCEPTION '{_SAYS}';
        END; $$ LANGUAGE plpgsql""",
    f"""CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_redacted()""",
]
REDACTING_POSTGRESQL_DROP = [
    _DROP_POSTGRESQL,
    f"DROP FUNCTION {TABLE}_is_redacted()",
    next(one for one in POSTGRESQL if f"{TABLE}_no_update" in one),
]
