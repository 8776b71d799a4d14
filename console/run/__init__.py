"""`make run`: the whole console in one command, with nothing installed beforehand.

Starts what is not configured (embedded_redis.py: a Redis of its own on a private unix socket; embedded_sandbox.py: a
cluster with demo data and demo users), prepares the database and the static files, then web, workers, watcher and beat;
starts again what ends, with longer and longer pauses, and never gives up by itself (supervisor.py); stops everything on
Ctrl-C. With CONSOLE_REDIS_URL, CONSOLE_DATABASE_URL and CONSOLE_CLUSTERS it uses those instead.
"""
