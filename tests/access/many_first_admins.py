"""A program of its own, since threads need a database that no test's transaction holds: six uses of one link at once.

Prints the statuses and the names of the administrators as JSON.
"""

from __future__ import annotations

import json
import threading

import django
from django.core.management import call_command
from django.db import connections
from django.test import Client

USES = 6


def main() -> None:
    django.setup()
    from console.access import first_admin
    from console.access.models import User

    call_command("migrate", verbosity=0)
    address = f"/first-administrator/{first_admin.token()}/"
    begin = threading.Barrier(USES)
    statuses = []

    def use(number: int) -> None:
        password = "long-enough-password-1"
        fields = {"username": f"root-{number}", "password1": password, "password2": password}
        begin.wait(60)
        statuses.append(Client().post(address, fields).status_code)
        connections.close_all()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(USES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([sorted(statuses), User.objects.filter(is_superuser=True).count()]))


if __name__ == "__main__":
    main()
