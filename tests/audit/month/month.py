"""October 2026 of a busy console: a plot of what is easily told wrong, and ordinary days around it.

`live` makes it happen, in the order of time, through the console's own functions; the same seed makes the same month.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from console.access import snapshots
from console.audit import policy, reads, redactions, retention
from console.audit.models import Entry, LegalHold
from console.operations.external import detection
from tests.audit.month import services as does
from tests.audit.month.clock import Clock
from tests.audit.month.cluster import ReadyCluster
from tests.audit.month.people import People
from tests.audit.month.services import Services, Wish
from tests.audit.month.signing_in import SignIns
from tests.audit.month.truth import Change, Place, Truth

CLUSTERS = ("box", "edge")
CHECKOUT, LEDGER = Place("box", "payments", "checkout"), Place("box", "payments", "ledger")
EDGE_CHECKOUT = Place("edge", "payments", "checkout")  # the same namespace and name in another cluster
STOREFRONT, CART = Place("box", "shop", "storefront"), Place("box", "shop", "cart")
ETL, TEMPORARY = Place("box", "data", "etl"), Place("box", "data", "temporary")
PLACES = (CHECKOUT, LEDGER, EDGE_CHECKOUT, STOREFRONT, CART, ETL)
PAYMENTS, SHOP, PLATFORM, AUDIT, PAYMENTS_AUDIT = "Payments", "Shop", "Platform", "Audit", "Payments auditors"
SECRET = "canary-of-the-month"  # the value of a variable: nobody may find it who may not reveal
REDACTED = "redacted"
PASSWORD_IN_A_REASON = "the old password was hunter2"
BEFORE, BEGINS, ENDS = (datetime(2026, *day, tzinfo=UTC) for day in ((9, 21, 8), (9, 28, 8), (11, 1, 9)))
TUESDAY = datetime(2026, 10, 13, 14, tzinfo=UTC)
QUICK, WHOLE = 1, 5  # ordinary changes of a day, of each second one where it has to be quick


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


@dataclass
class Month:
    """What happens, and the truth about it."""

    clusters: dict[str, ReadyCluster]
    clock: Clock
    folder: Path  # for what leaves the database
    a_day: int = QUICK
    seed: int = 20261001
    truth: Truth = field(default_factory=Truth)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.people = People(self.clock, self.truth)
        self.services = Services(self.people, self.clusters)
        self.sign_ins = SignIns(self.people)
        self.holds: dict[str, LegalHold] = {}
        self.marked: dict[str, Change] = {}  # the changes of the plot by the names that tests have for them
        self._coming: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = itertools.count(1)

    def live(self) -> None:
        """Let it all happen."""
        self._older_entries()
        self.clock.go(BEGINS)
        self._set_up()
        self._plan()
        while self._coming:
            moment, _, event = heapq.heappop(self._coming)
            self.clock.go(max(moment, self.clock.now))
            event()
        self.clock.go(ENDS)
        detection.look()

    def on(self, moment: datetime, event: Callable[..., object], *arguments: object, **facts: object) -> None:
        """Let this happen at the moment, or right after what is under way then."""
        heapq.heappush(self._coming, (moment, next(self._numbers), lambda: event(*arguments, **facts)))

    def ask(self, name: str, who: str, place: Place, wish: Wish, **facts: object) -> None:
        """A change of the plot."""
        self.marked[name] = self.services.ask(who, place, wish, **facts)
        self._judged(self.marked[name])

    def _older_entries(self) -> None:
        """What is old enough to leave for an archive at the end of the month."""
        self.people.begin("ada")
        for day in range(3):
            self.clock.go(BEFORE + timedelta(days=day))
            self.sign_ins.fail("mallory")
        self.truth.acts.clear()

    def _set_up(self) -> None:
        people = self.people
        snapshots.check()
        people.come(
            "ben", "cleo", "dan", "eve", "fay", "gus", "hal", "robot-payments", "robot-shop", "olga", "nick", by="ada"
        )
        people.make_team(PAYMENTS, "ben", by="ada")
        people.make_team(SHOP, "eve", by="ada", group="shop-devs")
        people.make_team(PLATFORM, "hal", by="ada")
        people.make_team(AUDIT, "olga", by="ada")
        people.make_team(PAYMENTS_AUDIT, "nick", by="ada")
        people.join(PAYMENTS, "cleo", "dan", "robot-payments", by="ben")
        people.join(SHOP, "fay", "gus", "robot-shop", by="eve")
        for team, role, cluster, namespace in (
            (PAYMENTS, "deployer", "box", "payments"),
            (PAYMENTS, "releaser", "box", "payments"),
            (SHOP, "deployer", "box", "shop"),
            (SHOP, "deployer", "edge", "payments"),
            (PLATFORM, "owner", "box", "*"),
            (PLATFORM, "releaser", "edge", "*"),
            (AUDIT, "auditor", "*", "*"),
            (PAYMENTS_AUDIT, "auditor", "box", "payments"),
        ):
            people.grant(team, role, cluster, namespace, by="ada")
        for place in (*PLACES, TEMPORARY):
            env = {"LEVEL": "info", "PASSWORD": SECRET}
            self.services.found(place, f"registry.example.com/{place.name}:1", {"app": place.name}, env)
        for cluster in self.clusters.values():
            cluster.watched()
        self.clock.tick(60)
        detection.look()

    def _plan(self) -> None:
        self._plan_access()
        self._plan_protection()
        self._plan_changes()
        self._plan_reading()
        for day in range(1, 32):
            self.on(at(day, 3), snapshots.check)  # the console does each minute
            for _ in range(self.a_day if day % 2 or self.a_day > QUICK else 0):
                self.on(at(day, self.random.randint(7, 17), self.random.randint(0, 59)), self._ordinary_change)

    def _plan_access(self) -> None:
        people, on = self.people, self.on
        on(at(8, 10), people.join, PAYMENTS, "gus", by="ben", ends=at(13, 13, 59))  # over one minute before TUESDAY
        on(at(12, 9), people.leave, PAYMENTS, "dan", by="ben")
        on(at(13, 13, 30), people.grant, SHOP, "deployer", "box", "payments", by="ada")
        on(at(13, 14, 30), people.take_away, SHOP, "deployer", "box", "payments", by="ada")
        on(at(14, 8), self.sign_ins.by_provider, "ines", groups=["shop-devs", "others"])
        on(at(15, 17), people.deactivate, "dan", by="ada")
        on(at(17, 9), people.make_role, "tuner", ["view", "operate"], by="ada")
        on(at(17, 9, 5), people.grant, SHOP, "tuner", "box", "data", by="ada")
        on(at(18, 9), people.rename, PLATFORM, "Foundations", by="hal")
        on(at(19, 9), people.edit_role, "tuner", ["view", "operate", "deploy"], by="ada")
        on(at(20, 8), self.sign_ins.by_provider, "ines", groups=[])
        on(at(21, 9), people.deactivate, "gus", by="ada")
        on(at(21, 9, 30), people.remove_from_database, "gus", former="the first gus")
        on(at(21, 9, 31), snapshots.check)
        on(at(23, 9), people.edit_role, "tuner", ["view", "operate"], by="ada")
        on(at(24, 9), people.come, "gus", by="ada")
        on(at(24, 9, 5), people.join, SHOP, "gus", by="eve")
        on(at(27, 9), people.make_administrator, "hal", True, by="ada")
        on(at(28, 9), people.make_team, "Platform again", "cleo", by="ada")
        on(at(28, 9, 5), people.rename, "Platform again", PLATFORM, by="ada")
        on(at(28, 9, 10), people.grant, "Platform again", "deployer", "box", "data", by="ada")
        on(at(29, 9), people.make_administrator, "hal", False, by="ada")
        on(at(2, 9), people.make_token, "ci", of="robot-payments", cluster="box", namespace="payments", days=60)
        on(at(2, 9, 5), people.make_token, "old", of="robot-shop", days=10)
        on(at(2, 9, 10), people.make_token, "of cleo", of="cleo", days=90)
        on(at(16, 9), people.revoke_token, "of cleo", by="cleo")

    def _plan_protection(self) -> None:
        services, on = self.services, self.on
        on(at(3, 10), services.protect, "payments", "hal", "box", "payments", ["deploy", "traffic"])
        on(
            at(9, 15),
            services.freeze,
            "inventory",
            "hal",
            "box",
            "shop",
            "2026-10-09T18:00",
            "2026-10-12T08:00",
            "Europe/Berlin",
        )
        on(at(11, 9), services.shorten, "inventory", "hal", "2026-10-11T20:00")
        on(at(14, 11), services.narrow, "payments", "hal", ["deploy"])
        on(at(16, 11), services.narrow, "payments", "hal", ["deploy", "traffic", "operate"])
        on(at(22, 10), services.unprotect, "payments", "hal")
        on(at(23, 10), services.protect, "payments again", "hal", "box", "payments", ["deploy", "traffic"])
        on(
            at(26, 15),
            services.freeze,
            "night",
            "hal",
            "box",
            "shop",
            "2026-10-30T18:00",
            "2026-10-31T08:00",
            "Asia/Shanghai",
        )
        on(at(28, 15), services.thaw, "night", "hal")

    def _plan_changes(self) -> None:
        on, ask, outside = self.on, self.ask, self.services.outside
        on(at(2, 10), ask, "with a password", "cleo", LEDGER, does.sets("RETRIES", "3"), reason=PASSWORD_IN_A_REASON)
        on(
            at(6, 9),
            self._approved_with_its_values,
            "approved",
            "cleo",
            "ben",
            CHECKOUT,
            does.sets("PASSWORD", f"{SECRET}-2"),
        )
        on(at(6, 15), self._own_approval, "dan", CHECKOUT)
        on(
            at(7, 9),
            self._declined,
            "declined",
            "cleo",
            "hal",
            CHECKOUT,
            does.deploys("registry.example.com/checkout:bad"),
        )
        on(at(7, 11), outside, "kim@example.com", CHECKOUT, does.sets("LEVEL", "debug"))
        on(at(8, 14), self._expired, "expired", "dan", LEDGER, does.sets("LEVEL", "warning"))
        on(at(10, 9), ask, "frozen", "eve", STOREFRONT, does.deploys("registry.example.com/storefront:frozen"))
        on(
            at(10, 9, 30),
            ask,
            "overridden freeze",
            "hal",
            STOREFRONT,
            does.deploys("registry.example.com/storefront:urgent"),
            reason="The shop is down",
            override=True,
        )
        on(at(12, 12), outside, "kim@example.com", CART, does.sets("LEVEL", "debug"))
        on(at(13, 9), self._withdrawn, "withdrawn", "cleo", CHECKOUT, does.sets("LEVEL", "error"))
        on(
            at(13, 11),
            ask,
            "overridden approval",
            "hal",
            CHECKOUT,
            does.deploys("registry.example.com/checkout:hotfix"),
            reason="Payments fail",
            override=True,
        )
        on(at(13, 14, 10), self._approved, "by another team", "fay", "ben", LEDGER, does.sets("BY", "fay"))
        on(at(16, 10), ask, "refused", "fay", CHECKOUT, does.deploys("registry.example.com/checkout:evil"))
        on(at(20, 9), ask, "by a raised role", "eve", ETL, does.sets("BY", "eve"))
        on(
            at(20, 10),
            self._approved,
            "approved by one of Foundations",
            "ben",
            "hal",
            CHECKOUT,
            does.sets("RETRIES", "5"),
        )
        on(at(22, 12), outside, "kim@example.com", LEDGER, does.sets("LEVEL", "debug"))
        on(at(22, 13), ask, "while unprotected", "cleo", CHECKOUT, does.deploys("registry.example.com/checkout:unseen"))
        for minute in (0, 60):  # both are 02:30 in Berlin
            name = ("first", "second")[minute // 60]
            on(
                at(25, 0, 30) + timedelta(minutes=minute),
                ask,
                name,
                "eve",
                EDGE_CHECKOUT,
                does.sets("HALF_PAST_TWO", name),
            )
        on(at(24, 18), self.services.unseen, "kim@example.com", EDGE_CHECKOUT, does.sets("UNSEEN", "yes"), hours=2)
        on(at(26, 16), ask, "midnight in Shanghai", "hal", ETL, does.sets("MIDNIGHT", "yes"))
        on(at(27, 11), outside, "", CART, does.labels("tier", "front"))
        on(
            at(27, 12),
            self._approved,
            "last",
            "cleo",
            "ben",
            CHECKOUT,
            does.deploys("registry.example.com/checkout:last"),
        )
        on(at(29, 12), outside, "", TEMPORARY, does.deletes())
        on(at(29, 15), self._redact)
        on(at(30, 6), self._retain)

    def _plan_reading(self) -> None:
        signs, on = self.sign_ins, self.on
        on(at(1, 7, 30), signs.by_password, "ben")
        on(at(1, 7, 40), signs.with_second_factor, "hal")
        on(at(5, 6), signs.fail, "ben")
        on(at(5, 6, 1), signs.by_password, "ben")
        on(at(6, 8, 30), self.services.reveal, "cleo", CHECKOUT, "PASSWORD")
        on(at(12, 8), signs.fail, "mallory")
        on(at(13, 8), self.services.reveal, "hal", LEDGER)
        on(at(26, 8), signs.by_password, "gus")  # the second of that name
        on(at(12, 10), signs.reads_the_log, "olga")
        on(at(12, 11, 30), self._closes_hours, "olga")
        on(at(14, 10), signs.reads_logs, "eve", STOREFRONT)
        on(at(1, 10), self._keeps_for, 400, 200)
        on(at(5, 10), self._holds, "shop", "Case 6", cluster="box", namespace="shop")
        on(at(20, 11), self._holds, "ledger", "Case 7", **LEDGER.facts, since=at(1, 0))
        on(at(25, 10), self._lifts, "shop")

    def _closes_hours(self, reader: str) -> None:
        """The console does each few minutes."""
        assert reads.close_past() == 1
        self.people.act(reader, "read.audit-more")

    def _keeps_for(self, entries: int, operations: int) -> None:
        days = {"entries_days": entries, "operations_days": operations}
        policy.change(days, reason="As agreed", actor=self.people.actor("ada"))
        self.people.act("ada", "audit.retention")

    def _holds(self, name: str, reason: str, **facts: object) -> None:
        self.holds[name] = policy.place(LegalHold(**facts, reason=reason), actor=self.people.actor("ada"))
        self.people.act("ada", "audit.hold-add")

    def _lifts(self, name: str) -> None:
        assert policy.lift(self.holds[name].pk, reason="Closed", actor=self.people.actor("ada"))
        self.people.act("ada", "audit.hold-lift")

    def _approved(self, name: str, who: str, approver: str, place: Place, wish: Wish) -> None:
        self.ask(name, who, place, wish, reason=f"Asked for as {name}")
        self.clock.tick(600)
        self.services.approve(approver, self.marked[name], f"Looked at by {approver}")

    def _approved_with_its_values(self, name: str, who: str, approver: str, place: Place, wish: Wish) -> None:
        """The approver opens the page of the change, which shows the values to people who may reveal them."""
        self.ask(name, who, place, wish, reason=f"Asked for as {name}")
        self.clock.tick(300)
        asked, browser = self.marked[name], self.sign_ins.by_password(approver)
        self.clock.tick(10)
        assert browser.get(f"/operations/{asked.operation}/").status_code == 200
        self.people.act(approver, "reveal.Approval", place=place)
        self.clock.tick(10)
        self.services.approve(approver, asked, f"Looked at by {approver}")

    def _declined(self, name: str, who: str, approver: str, place: Place, wish: Wish) -> None:
        self.ask(name, who, place, wish)
        self.clock.tick(600)
        self.services.approve(approver, self.marked[name], "Not this one", declines=True)

    def _withdrawn(self, name: str, who: str, place: Place, wish: Wish) -> None:
        self.ask(name, who, place, wish)
        self.clock.tick(600)
        self.services.withdraw(self.marked[name])

    def _expired(self, name: str, who: str, place: Place, wish: Wish) -> None:
        self.ask(name, who, place, wish)
        self.on(self.clock.now + timedelta(hours=24, minutes=1), self.services.expire, self.marked[name])

    def _own_approval(self, who: str, place: Place) -> None:
        self.ask("own", who, place, does.sets("OWN", "yes"))
        self.clock.tick(60)
        self.services.try_to_approve(who, self.marked["own"])
        self.services.try_to_approve("eve", self.marked["own"])
        self.clock.tick(60)
        self.services.approve("ben", self.marked["own"])

    def _redact(self) -> None:
        entry = Entry.objects.get(operation=self.marked["with a password"].operation, text=PASSWORD_IN_A_REASON)
        redactions.redact(entry.sequence, "text", reason="A password was typed", actor=self.people.actor("ada"))
        self.marked["with a password"].reason = REDACTED
        self.people.act("ada", "audit.redact", str(entry.sequence))

    def _retain(self) -> None:
        retention.retain(BEGINS, self.folder / "archive.jsonl", actor=self.people.actor("ada"))
        self.people.act("ada", "audit.retain")

    def _ordinary_change(self) -> None:
        """Somebody changes something, who mostly may; where a second person has to decide, one does."""
        active = sorted(one.person for one in self.truth.accounts if one.holds(self.clock.now))
        place, wish = self._some_wish()
        may = [who for who in active if self.truth.may(who, self.clock.now, wish.needs, place)]
        who = self.random.choice(may if self.random.random() < 0.9 else active)
        reason = self.random.choice(["", "As planned", "Ticket 4711", "=1+1", "Schöne Grüße, 你好"])
        asked = self.services.ask(who, place, wish, reason=reason)
        self._judged(asked)
        if asked.outcome == "waiting":
            self.on(self.clock.now + timedelta(minutes=self.random.randint(5, 90)), self._decide, asked)

    def _some_wish(self) -> tuple[Place, Wish]:
        place, number = self.random.choice(PLACES), next(self._numbers)
        state = self.truth.state(place, self.clock.now)
        assert state is not None
        wishes = [
            does.deploys(f"registry.example.com/{place.name}:{number}"),
            does.sets(f"FLAG_{number % 7}", f"{SECRET}-{number}"),
            does.scales("max", number),
            does.labels("release", f"r{number}"),
            does.splits(place, state.revision, number % 99 + 1) if len(state.split) == 1 else does.gathers(),
        ]
        return place, self.random.choice(wishes)

    def _decide(self, asked: Change) -> None:
        now = self.clock.now
        able = {way.person for way in self.truth.ways(now, "approve", asked.place)} - {asked.who}
        who = self.random.choice(sorted(able))
        self.services.approve(who, asked, "Fine", declines=self.random.random() < 0.2)

    def _judged(self, asked: Change) -> None:
        """The console let in whom the truth says may, and nobody else."""
        may = self.truth.may(asked.who, asked.at, asked.needs, asked.place)
        assert may or asked.outcome == "refused", asked
        assert not may or asked.outcome != "refused" or asked.protected, asked
