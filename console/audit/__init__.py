"""The append-only log, its hash chain, verification and export. Imports no other room."""
