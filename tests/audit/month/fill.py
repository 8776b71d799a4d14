"""The month in a console to look at: `python -m tests.audit.month.fill FOLDER [ADDRESS:PORT]`.

It fills the database of settings (CONSOLE_DATABASE_URL, or SQLite in the new FOLDER) and shows it until it is ended.
The clock stands at the month's end. Everybody's password is `a-long-password-of-` and their name: ada administers,
olga audits everything, nick the namespace payments of the cluster box.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main(folder: Path, address: str) -> None:
    folder.mkdir()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # Redis has to end too
    os.environ["CONSOLE_STATE_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    _show(folder, address)


def _show(folder: Path, address: str) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from tests import redis_server
    from tests.audit.month.clock import Clock, standing
    from tests.audit.month.cluster import clusters, settings_of
    from tests.audit.month.month import BEFORE, CLUSTERS, WHOLE, Month
    from tests.broker import broker

    clock = Clock(BEFORE)
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    with redis_server.running() as redis, broker("memory://"), clusters(CLUSTERS, clock) as found, standing(clock):
        settings.REDIS_URL, settings.CLUSTERS = redis.url, settings_of(found)
        month = Month(found, clock, folder, WHOLE)
        month.live()
        print(f"{len(month.truth.changes)} changes; sign in at http://{address}/ as ada, olga or nick")
        call_command("runserver", address, use_reloader=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), (sys.argv[2:] or ["127.0.0.1:8900"])[0])
