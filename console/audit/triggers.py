"""The triggers that keep the log append-only, for both databases; used by migrations and by tests.

An entry must continue the newest one. Nothing is changed but what a redaction tells: console.audit.redaction_triggers,
since migration 0007, which replaces the trigger against updates. Nothing is removed but what a retention row covers,
and such a row is only taken right after the entry that tells of it (in the words of models.Retention), never changed,
and never removed.
"""
# ruff: noqa: S608  only our own names are put into these statements

FIRST_HASH = "0" * 64  # what the first entry follows

TABLE, RETENTION = "audit_entry", "audit_retention"
RETAINED, REDACTED = "audit.retain", "audit.redact"

_SAYS = "the audit log is append-only"
_NEWEST = f"(SELECT max(sequence) FROM {TABLE})"
_KEPT_FROM = f"coalesce((SELECT max(through) FROM {RETENTION}), 0)"
_NEWEST_HASH = f"""coalesce((SELECT hash FROM {TABLE} ORDER BY sequence DESC LIMIT 1),
    (SELECT hash FROM {RETENTION} ORDER BY through DESC LIMIT 1), '{FIRST_HASH}')"""
_DOES_NOT_CONTINUE = f"NEW.sequence <> 1 + coalesce({_NEWEST}, {_KEPT_FROM}) OR NEW.previous_hash <> {_NEWEST_HASH}"
_IS_NOT_TOLD = f"""NOT EXISTS (SELECT 1 FROM {TABLE} WHERE sequence = NEW.through AND hash = NEW.hash)
    OR NOT EXISTS (SELECT 1 FROM {TABLE} WHERE sequence = {_NEWEST} AND action = '{RETAINED}' AND text =
        'entries to ' || NEW.through || ', hash ' || NEW.hash || ', archive SHA-256 ' || NEW.archive_sha256)"""

POSTGRESQL = [
    f"""CREATE FUNCTION {TABLE}_is_append_only() RETURNS trigger AS $$
        BEGIN RAISE EXCEPTION '{_SAYS}'; END; $$ LANGUAGE plpgsql""",
    f"""CREATE FUNCTION {TABLE}_is_retained() RETURNS trigger AS $$
        BEGIN
            IF OLD.sequence > {_KEPT_FROM} THEN RAISE EXCEPTION '{_SAYS}'; END IF;
            RETURN OLD;
        END; $$ LANGUAGE plpgsql""",
    f"""CREATE FUNCTION {TABLE}_continues() RETURNS trigger AS $$
        BEGIN
            IF {_DOES_NOT_CONTINUE} THEN RAISE EXCEPTION '{_SAYS}: an entry continues the newest one'; END IF;
            RETURN NEW;
        END; $$ LANGUAGE plpgsql""",
    f"""CREATE FUNCTION {RETENTION}_is_told() RETURNS trigger AS $$
        BEGIN
            IF {_IS_NOT_TOLD} THEN RAISE EXCEPTION '{_SAYS}: a retention is told by the newest entry'; END IF;
            RETURN NEW;
        END; $$ LANGUAGE plpgsql""",
    f"""CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_append_only()""",
    f"""CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_retained()""",
    f"""CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_is_append_only()""",
    f"""CREATE TRIGGER {TABLE}_in_order BEFORE INSERT ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_continues()""",
    f"""CREATE TRIGGER {RETENTION}_no_change BEFORE UPDATE OR DELETE ON {RETENTION}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_append_only()""",
    f"""CREATE TRIGGER {RETENTION}_no_truncate BEFORE TRUNCATE ON {RETENTION}
        FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_is_append_only()""",
    f"""CREATE TRIGGER {RETENTION}_told BEFORE INSERT ON {RETENTION}
        FOR EACH ROW EXECUTE FUNCTION {RETENTION}_is_told()""",
]
POSTGRESQL_DROP = [
    *(f"DROP TRIGGER {RETENTION}_{name} ON {RETENTION}" for name in ("told", "no_truncate", "no_change")),
    *(f"DROP TRIGGER {TABLE}_{name} ON {TABLE}" for name in ("in_order", "no_truncate", "no_delete", "no_update")),
    f"DROP FUNCTION {RETENTION}_is_told()",
    *(f"DROP FUNCTION {TABLE}_{name}()" for name in ("continues", "is_retained", "is_append_only")),
]


def _sqlite(name: str, event: str, when: str = "1", says: str = _SAYS) -> str:
    table = RETENTION if name.startswith(RETENTION) else TABLE
    return f"""CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {when}
        BEGIN SELECT RAISE(ABORT, '{says}'); END"""


SQLITE = [
    _sqlite(f"{TABLE}_no_update", "UPDATE"),
    _sqlite(f"{TABLE}_no_delete", "DELETE", f"OLD.sequence > {_KEPT_FROM}"),
    _sqlite(f"{TABLE}_in_order", "INSERT", _DOES_NOT_CONTINUE, f"{_SAYS}: an entry continues the newest one"),
    _sqlite(f"{RETENTION}_no_update", "UPDATE"),
    _sqlite(f"{RETENTION}_no_delete", "DELETE"),
    _sqlite(f"{RETENTION}_told", "INSERT", _IS_NOT_TOLD, f"{_SAYS}: a retention is told by the newest entry"),
]
SQLITE_DROP = [
    *(f"DROP TRIGGER {RETENTION}_{name}" for name in ("told", "no_delete", "no_update")),
    *(f"DROP TRIGGER {TABLE}_{name}" for name in ("in_order", "no_delete", "no_update")),
]

# The first ones, until migration 0003.
FIRST_POSTGRESQL = [
    POSTGRESQL[0],
    f"""CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_append_only()""",
    f"""CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_is_append_only()""",
]
FIRST_POSTGRESQL_DROP = [
    f"DROP TRIGGER {TABLE}_no_truncate ON {TABLE}",
    f"DROP TRIGGER {TABLE}_no_change ON {TABLE}",
    f"DROP FUNCTION {TABLE}_is_append_only()",
]
FIRST_SQLITE = [_sqlite(f"{TABLE}_no_update", "UPDATE"), _sqlite(f"{TABLE}_no_delete", "DELETE")]
FIRST_SQLITE_DROP = [f"DROP TRIGGER {TABLE}_no_update", f"DROP TRIGGER {TABLE}_no_delete"]
