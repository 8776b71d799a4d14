"""How the review of a log of a million entries bears its filters, on either database. Prints figures; asserts nothing.

python -m tests.bench.audit_scale [entries]
python -m tests.postgres_server python -m tests.bench.audit_scale [entries]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ["CONSOLE_STATE_DIR"] = tempfile.mkdtemp(prefix="audit-scale-")

BATCH_SIZE = 5000
DAYS = 365
ACTIONS = ("deploy.SetEnv", "operation.succeeded", "traffic.SplitTraffic", "operation.succeeded", "outside.change")


def main(count: int) -> None:
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    fill(count)
    print(f"{connection.vendor}: {count} entries written in {time.perf_counter() - began:.0f} s")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    measure()


def fill(count: int) -> None:
    """Write a valid chain over a year: 200 people, 20 teams, 2 clusters, 100 namespaces, 2,000 services."""
    from console.audit.chain import digest
    from console.audit.models import Action, Entry, Place
    from console.audit.triggers import FIRST_HASH

    def entries() -> Iterator[Entry]:
        from django.utils import timezone

        end, previous = timezone.now(), FIRST_HASH
        for number in range(1, count + 1):
            # A few namespaces and people are busy, many are not.
            busy = number % 7 < 5
            place, person = (number % 10, number % 20) if busy else (number * 7 % 100, number * 13 % 200)
            entry = Entry(
                sequence=number,
                at=end - timedelta(days=DAYS) * (1 - number / count),
                actor=f"person-{person}",
                actor_id=person,
                team=f"team-{place % 20}",
                roles="deployer",
                cluster=f"cluster-{place % 2}",
                namespace=f"ns-{place}",
                service=f"service-{place}-{number % 20}",
                action="session.sign-in" if number % 11 == 0 else ACTIONS[number % 5],
                outcome="failed" if number % 500 == 0 else "succeeded",
                changes=[{"field": "spec.template.spec.timeoutSeconds", "before": "1", "after": str(number)}],
                text="a rare needle" if number == count // 3 else "",
                previous_hash=previous,
            )
            entry.hash = previous = digest(entry)
            yield entry

    batch: list[Entry] = []
    for entry in entries():
        batch.append(entry)
        if len(batch) == BATCH_SIZE:
            Entry.objects.bulk_create(batch)
            batch = []
    Entry.objects.bulk_create(batch)
    Action.objects.bulk_create([Action(name=name) for name in {*ACTIONS, "session.sign-in"}])
    Place.objects.bulk_create([Place(cluster=f"cluster-{n % 2}", namespace=f"ns-{n}") for n in range(100)])


QUERIES = [
    ("nothing", {}),
    ("a person", {"actor": "person-17"}),
    ("a rare person", {"actor": "person-181"}),
    ("nobody", {"actor": "nobody"}),
    ("a team", {"team": "team-3"}),
    ("a cluster", {"cluster": "cluster-1"}),
    ("a rare namespace", {"namespace": "ns-57"}),
    ("a service", {"cluster": "cluster-1", "namespace": "ns-57", "service": "service-57-3"}),
    ("an action", {"action": "traffic.SplitTraffic"}),
    ("a group", {"group": "outside"}),
    ("failures", {"outcome": "failed"}),
    ("failures of a rare person", {"outcome": "failed", "actor": "person-181"}),
    ("a day half a year ago", {"since": "-180", "until": "-180"}),
    ("until half a year ago", {"until": "-180"}),
    ("a day and a person", {"since": "-200", "until": "-200", "actor": "person-17"}),
    ("a text that is frequent", {"q": "timeoutSeconds"}),
    ("a text that is nowhere near", {"q": "needle"}),
]


def measure() -> None:
    from django.utils import timezone

    from console.access.auditing import visible_entries
    from console.access.authorization import Right, Rights
    from console.audit.models import Entry
    from console.audit.searching import older, search
    from console.audit.summary import last_days, summarize
    from console.audit.verification import verify

    def page(entries, query):
        asked = {
            name: (timezone.now() + timedelta(days=int(value))).date().isoformat() if value.startswith("-") else value
            for name, value in query.items()
        }
        return older(search(entries, asked), None, 50)

    def scoped(cluster: str, namespace: str) -> Rights:
        from console.access.models import User

        return Rights(User(), [Right(frozenset({"view", "audit"}), cluster, namespace, {}, "auditor", "team")])

    for name, query in QUERIES:
        timed(name, lambda query=query: page(Entry.objects.all(), query))
    for name, rights in (
        ("an auditor of everything", scoped("*", "*")),
        ("an auditor of a rare namespace", scoped("*", "ns-57")),
        ("an auditor of half of it", scoped("cluster-1", "*")),
        ("an auditor of ns-5*", scoped("*", "ns-5*")),
    ):
        timed(name, lambda rights=rights: page(visible_entries(rights), {}))
        timed(f"{name}, failures", lambda rights=rights: page(visible_entries(rights), {"outcome": "failed"}))
    timed("a page far back", lambda: older(search(Entry.objects.all(), {"actor": "person-17"}), 500, 50))
    timed("summary of 30 days", lambda: summarize(Entry.objects.all(), *last_days(30, timezone.now())), 3)
    timed("verify", verify, 1)
    explain()


def timed(what: str, act, times: int = 5) -> None:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    print(f"{what}: median {sorted(taken)[len(taken) // 2]:.1f} ms, worst {max(taken):.1f} ms")


def explain() -> None:
    """Print how the database answers each filter where no window of sequence numbers bounds it."""
    from django.db import connection

    from console.audit.models import Entry
    from console.audit.searching import search

    for name, query in QUERIES:
        if any(value.startswith("-") for value in query.values()) or "q" in query:
            continue
        rows = search(Entry.objects.all(), query).entries.order_by("-sequence")[:51]
        statement, parameters = rows.query.sql_with_params()
        with connection.cursor() as cursor:
            words = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{words} {statement}", parameters)
            print(f"  {name}: " + " / ".join(str(line[-1]).strip()[:110] for line in cursor.fetchall()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
