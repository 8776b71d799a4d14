"""What is done with services: changes through preview, submission, approval and a worker's turn; others' changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from console.access.attempts import audited
from console.access.refusals import NotAllowed, OwnChange, Stopped
from console.knative import changes as kn
from console.knative.changes import Change as Asked
from console.knative.objects import Service
from console.knative.references import ServiceRef
from console.knative.traffic import TrafficTarget
from console.operations.external import detection
from console.operations.lookups import revealing
from console.operations.models import Operation
from console.operations.models.protection import FreezeWindow, ProtectionRule
from console.operations.protection import approvals, rules
from console.operations.submitting import previewing, submission
from console.operations.tasks import perform
from tests.audit.month.cluster import ReadyCluster, manifest
from tests.audit.month.people import People
from tests.audit.month.truth import Bypass, Change, Place, State
from tests.support.echo_cluster import Object

LATEST = "@latest"
ENDS = {
    "succeeded": "succeeded",
    "succeeded-not-serving": "succeeded",
    "unchanged": "succeeded",
    "stopped": "stopped",
}


@dataclass(frozen=True)
class Wish:
    """A change that somebody may ask for, and what the service is afterwards."""

    kind: str
    needs: str
    change: Asked
    after: Callable[[State], State | None]


def deploys(image: str) -> Wish:
    return Wish("SetImage", "deploy", kn.SetImage("app", image), lambda was: _released(was, image=image))


def sets(name: str, value: str) -> Wish:
    change = kn.SetEnv("app", (kn.EnvEntry(name, value),))
    return Wish("SetEnv", "deploy", change, lambda was: _released(was, env={**was.env, name: value}))


def unsets(name: str) -> Wish:
    change = kn.SetEnv("app", (), (name,))
    return Wish("SetEnv", "deploy", change, lambda was: _released(was, env=_without(was.env, name)))


def splits(place: Place, number: int, percent: int) -> Wish:
    """So much to that revision, the rest to the latest."""
    name = f"{place.name}-{number:05}"
    targets = (TrafficTarget(name, percent), TrafficTarget(None, 100 - percent, follows_latest=True))
    split = ((name, percent), (LATEST, 100 - percent))
    return Wish("SplitTraffic", "traffic", kn.SplitTraffic(targets), lambda was: was.but(split=split))


def gathers() -> Wish:
    """Everything to the latest revision."""
    targets = (TrafficTarget(None, 100, follows_latest=True),)
    return Wish("SplitTraffic", "traffic", kn.SplitTraffic(targets), lambda was: was.but(split=((LATEST, 100),)))


def scales(field: str, number: int) -> Wish:
    change = kn.SetScale({field: str(number)})
    return Wish("SetScale", "operate", change, lambda was: _released(was, scale={**was.scale, field: str(number)}))


def labels(key: str, value: str) -> Wish:
    change = kn.SetLabels({key: value})
    return Wish("SetLabels", "deploy", change, lambda was: was.but(labels={**was.labels, key: value}))


def deletes() -> Wish:
    return Wish("DeleteService", "delete", kn.DeleteService(), lambda _was: None)


def _released(was: State, **facts: object) -> State:
    return was.but(revision=was.revision + 1, **facts)


def _without(env: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in env.items() if key != name}


@dataclass
class Services:
    """The services of the clusters, and everybody who changes them."""

    people: People
    clusters: dict[str, ReadyCluster]
    rules: dict[str, ProtectionRule] = field(default_factory=dict)
    windows: dict[str, FreezeWindow] = field(default_factory=dict)

    def found(self, place: Place, image: str, labels: dict[str, str], env: dict[str, str]) -> None:
        """A service that was there before the console looked."""
        cluster = self.clusters[place.cluster]
        cluster.namespaces.add(place.namespace)
        cluster.answer("POST", _services(place), "", manifest(place.namespace, place.name, image, labels, env))
        self._is(place, State(image, ((LATEST, 100),), env, labels))

    def ask(
        self,
        who: str,
        place: Place,
        wish: Wish,
        *,
        reason: str = "",
        override: bool = False,
    ) -> Change:
        """Somebody previews and submits a change; it waits, is written, or is refused, as truth has to say."""
        people, truth = self.people, self.people.truth
        now = people.clock.now
        told = Change(now, place, wish.kind, who, reason, wish.needs, before=truth.state(place, now))
        truth.changes.append(told)
        user, actor = people.users[who], people.actor(who)
        try:
            with audited(actor):
                effect = previewing.preview(wish.change, user=user, ref=_ref(place))
            operation = submission.submit(
                effect.preview.id, user=user, actor=actor, reason=reason, break_glass=override
            )
        except (NotAllowed, Stopped) as refusal:
            told.outcome = "refused"
            told.protected = not isinstance(refusal, NotAllowed)
            return told
        told.operation = str(operation.id)
        told.protected = bool(effect.policy_status.scopes)
        told.overrode = override and told.protected
        told.after = wish.after(told.before) if told.before else None
        if told.overrode:
            truth.bypasses.append(Bypass(now, user.username, "override", str(place)))
        if operation.status == "waiting":
            told.outcome, told.waited = "waiting", True
        else:
            self._perform(told)
        return told

    def create(self, who: str, place: Place, image: str, labels: dict[str, str]) -> Change:
        body = manifest(place.namespace, place.name, image, labels, {})
        fresh = State(image, ((LATEST, 100),), {}, labels)
        told = self.ask(who, place, Wish("CreateService", "deploy", kn.CreateService(body), lambda _was: fresh))
        if told.is_written:
            told.after = fresh
            self._is(place, fresh)
        return told

    def approve(self, who: str, asked: Change, comment: str = "", *, declines: bool = False) -> None:
        """A second person decides."""
        people = self.people
        operation = Operation.objects.get(id=asked.operation)
        facts = {"user": people.users[who], "actor": people.actor(who), "comment": comment}
        asked.decided_by, asked.decided_at, asked.comment = who, people.clock.now, comment
        if declines:
            approvals.decline(operation, **facts)
            asked.outcome = "declined"
            people.act(who, "protect.decline", comment, place=asked.place, outcome="refused")
            return
        approvals.approve(operation, seen_digest=operation.approval.digest, **facts)
        people.act(who, "protect.approve", place=asked.place)
        people.clock.tick(2)
        self._perform(asked)

    def try_to_approve(self, who: str, asked: Change) -> None:
        """Somebody who may not decides; it stays as it was."""
        operation = Operation.objects.get(id=asked.operation)
        user, actor = self.people.users[who], self.people.actor(who)
        try:
            approvals.approve(operation, user=user, actor=actor, seen_digest=operation.approval.digest)
        except OwnChange:
            self.people.act(who, "protect.approve", "own change", place=asked.place, outcome="refused")
        except NotAllowed:
            self.people.act(who, "approve.refused", place=asked.place, outcome="refused")
        else:
            raise AssertionError(f"{who} could approve {asked}")

    def withdraw(self, asked: Change) -> None:
        operation = Operation.objects.get(id=asked.operation)
        approvals.withdraw(operation, user=self.people.users[asked.who], actor=self.people.actor(asked.who))
        asked.outcome = "withdrawn"
        self.people.act(asked.who, "protect.withdraw", place=asked.place)

    def expire(self, asked: Change) -> None:
        """Nobody decided in time; call it when the request's time is over."""
        assert approvals.expire_requests() == 1
        asked.outcome = "expired"

    def reveal(self, who: str, place: Place, variable: str = "") -> None:
        revealing.reveal_env(_ref(place), user=self.people.users[who], actor=self.people.actor(who), variable=variable)
        self.people.act(who, "reveal.Env", variable, place=place)

    def outside(self, who: str, place: Place, wish: Wish, tool: str = "kubectl-edit") -> None:
        """Somebody changes a service with a tool of their own; the console sees it at once."""
        self._looked()
        truth, now = self.people.truth, self.people.clock.now
        before = truth.state(place, now)
        assert before is not None
        after, cluster = wish.after(before), self.clusters[place.cluster]
        if after is None:
            cluster.remove(place.namespace, place.name)
        else:
            cluster.apply(_changed(cluster.service(place.namespace, place.name), wish.change), who, tool)
        self._is(place, after)
        detection.look()
        protected = self.protects(place, wish.needs)
        facts = {"is_outside": True, "outcome": "succeeded", "protected": protected, "before": before, "after": after}
        truth.changes.append(Change(now, place, "", who, needs=wish.needs, **facts))
        if protected:
            truth.bypasses.append(Bypass(now, who, "outside", str(place)))

    def unseen(self, who: str, place: Place, wish: Wish, hours: int) -> None:
        """The same while the console's watcher does not reach the cluster, for so long."""
        cluster, clock = self.clusters[place.cluster], self.people.clock
        detection.look()
        cluster.writer = None
        clock.tick(hours * 1800)
        before = self.people.truth.state(place, clock.now)
        assert before is not None
        after = wish.after(before)
        cluster.apply(_changed(cluster.service(place.namespace, place.name), wish.change), who)
        self._is(place, after)
        clock.tick(hours * 1800)
        cluster.watched()
        detection.look()
        told = Change(clock.now, place, "", who, is_outside=True, outcome="succeeded", before=before, after=after)
        self.people.truth.changes.append(told)

    def protects(self, place: Place, needs: str) -> bool:
        return any(
            (rule.cluster, rule.namespace) == (place.cluster, place.namespace) and needs in rule.permissions
            for rule in self.rules.values()
        )

    def protect(
        self, name: str, by: str, cluster: str, namespace: str, permissions: list[str], hours: int = 24
    ) -> None:
        """A rule that asks for a second person."""
        facts = {"cluster": cluster, "namespace": namespace, "permissions": permissions, "note": name}
        rule = ProtectionRule(**facts, needs_reason=False, valid_hours=hours)
        rules.save(rule, {}, actor=self.people.actor(by))
        self.rules[name] = rule
        self.people.act(by, "protect.rule-add", rule.place)

    def narrow(self, name: str, by: str, permissions: list[str]) -> None:
        rule = self.rules[name]
        before, narrower = rule.facts(), not set(permissions) >= set(rule.permissions)
        rule.permissions = permissions
        rules.save(rule, before, actor=self.people.actor(by))
        self.people.act(by, "protect.rule-change", rule.place)
        if narrower:
            self._bypassed(by, "rule-narrowed", rule.place)

    def unprotect(self, name: str, by: str) -> None:
        rule = self.rules.pop(name)
        rules.delete(rule, actor=self.people.actor(by))
        self.people.act(by, "protect.rule-remove", rule.place)
        self._bypassed(by, "rule-removed", rule.place)

    def freeze(self, name: str, by: str, cluster: str, namespace: str, begins: str, ends: str, zone: str) -> None:
        facts = {"cluster": cluster, "namespace": namespace, "begins": begins, "ends": ends, "zone": zone, "note": name}
        window = FreezeWindow(**facts, permissions=["deploy", "traffic", "operate", "delete"])
        rules.save(window, {}, actor=self.people.actor(by))
        self.windows[name] = window
        self.people.act(by, "protect.window-add", window.place)

    def shorten(self, name: str, by: str, ends: str) -> None:
        window = self.windows[name]
        before, window.ends = window.facts(), ends
        rules.save(window, before, actor=self.people.actor(by))
        self.people.act(by, "protect.window-change", window.place)
        self._bypassed(by, "freeze-narrowed", window.place)

    def thaw(self, name: str, by: str) -> None:
        window = self.windows.pop(name)
        rules.delete(window, actor=self.people.actor(by))
        self.people.act(by, "protect.window-remove", window.place)
        self._bypassed(by, "freeze-removed", window.place)

    def _bypassed(self, by: str, kind: str, about: str) -> None:
        self.people.truth.bypasses.append(Bypass(self.people.clock.now, self.people.users[by].username, kind, about))

    def _perform(self, told: Change) -> None:
        """What a worker does, and the watcher after it."""
        self._looked()
        told.ended_at = self.people.clock.now
        perform(told.operation)
        detection.look()
        operation = Operation.objects.get(id=told.operation)
        told.outcome = ENDS[operation.status]
        if told.is_written and told.kind != "CreateService":
            self._is(told.place, told.after)
        self.people.clock.tick(1)

    def _looked(self) -> None:
        """The console looks each few seconds: it has seen everything until a second ago."""
        detection.look()
        self.people.clock.tick(1)

    def _is(self, place: Place, state: State | None) -> None:
        self.people.truth.states[place].append((self.people.clock.now, state))


def _changed(service: Object, change: Asked) -> Object:
    return dict(change.apply(Service(copy.deepcopy(service))).raw)


def _ref(place: Place) -> ServiceRef:
    return ServiceRef(place.cluster, place.namespace, place.name)


def _services(place: Place) -> str:
    return f"/apis/serving.knative.dev/v1/namespaces/{place.namespace}/services"
