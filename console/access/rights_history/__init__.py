"""Who had which rights when, from the audit log alone: it holds when people, teams and roles are gone or renamed.

`rows` is what is kept of people, roles, teams, memberships and grants; `recording` puts the rows that change into the
entry of the change; console.access.snapshots puts all of them into entries of their own when recording begins, each
week, and when the tables differ from the log; `replay` makes a `state` of snapshot and changes; `moments` asks for one.
"""
