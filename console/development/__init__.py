"""The console as `make dev` runs it: debug pages, a toolbar and a profiler, on loopback only."""
