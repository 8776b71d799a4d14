"""What all parts of the console observe about connections to the database."""

from django.db import connection


def give_back() -> None:
    """Give this thread's connection back to the pool before a cluster is asked; the next query takes one again.

    Else a few slow clusters would hold all the connections of a web process, and every page would wait for one.
    """
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()
