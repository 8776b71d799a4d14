"""The triggers that keep terminal states final on both databases, whatever a late worker tries."""

from console.operations.models.statuses import TERMINAL

TABLE = "operations_operation"
_FINAL = ", ".join(f"'{status.value}'" for status in TERMINAL)

POSTGRESQL = [
    f"""CREATE FUNCTION {TABLE}_is_final() RETURNS trigger AS $$
        BEGIN RAISE EXCEPTION 'a finished operation does not change its status'; END; $$ LANGUAGE plpgsql""",
    f"""CREATE TRIGGER {TABLE}_final BEFORE UPDATE OF status ON {TABLE} FOR EACH ROW
        WHEN (OLD.status IN ({_FINAL}) AND NEW.status <> OLD.status) EXECUTE FUNCTION {TABLE}_is_final()""",
]
POSTGRESQL_DROP = [f"DROP TRIGGER IF EXISTS {TABLE}_final ON {TABLE}", f"DROP FUNCTION IF EXISTS {TABLE}_is_final()"]
SQLITE = [
    f"""CREATE TRIGGER {TABLE}_final BEFORE UPDATE OF status ON {TABLE} FOR EACH ROW
        WHEN OLD.status IN ({_FINAL}) AND NEW.status <> OLD.status
        BEGIN SELECT RAISE(ABORT, 'a finished operation does not change its status'); END""",
]
SQLITE_DROP = [f"DROP TRIGGER IF EXISTS {TABLE}_final"]
