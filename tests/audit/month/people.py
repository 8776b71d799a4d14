"""What is done with people, teams, roles and grants: each through the console's own functions, and noted as truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth import get_user_model

from console.access import grants, members, people, roles, teams, tokens
from console.access.actors import Actor
from console.access.models import ApiToken, Grant, Membership, Role, Team, User
from console.access.permissions import BUILT_IN_ROLES
from console.access.scopes import Scope
from tests.audit.month.clock import Clock
from tests.audit.month.truth import Act, Active, Bypass, Granted, Holds, Member, Named, Place, Truth

PASSWORD = "a-long-password-of-{}"


@dataclass
class People:
    """The people of the installation by the keys that the month has for them; a key is one account for ever."""

    clock: Clock
    truth: Truth
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    tokens: dict[str, tuple[ApiToken, str]] = field(default_factory=dict)

    def begin(self, administrator: str) -> None:
        """The first administrator, and the roles that every installation has."""
        for name, permissions in BUILT_IN_ROLES.items():
            self.truth.roles.append(Holds(self.clock.now, name, frozenset(map(str, permissions))))
        user = get_user_model().objects.create_superuser(administrator, password=PASSWORD.format(administrator))
        self.users[administrator] = user
        self.truth.accounts.append(Active(self.clock.now, administrator, is_administrator=True))

    def actor(self, who: str) -> Actor:
        """The person, always from the same address."""
        number = list(self.users).index(who) + 1
        return Actor(
            self.users[who].pk, self.users[who].username, f"192.0.2.{number}", f"req-{self.clock.now:%d%H%M%S}"
        )

    def act(
        self, who: str, action: str, about: str = "", *, place: Place | None = None, outcome: str = "succeeded"
    ) -> None:
        """Note that the person did this now."""
        user = self.users[who]
        self.truth.acts.append(Act(self.clock.now, user.username, user.pk, action, outcome, place, about))

    def come(self, *names: str, by: str, key: str = "") -> None:
        """New accounts with a password."""
        for name in names:
            self.clock.tick(3)
            user, _ = people.create(name, user=self.users[by], actor=self.actor(by))
            user.set_password(PASSWORD.format(name))
            user.save()
            self.users[key or name] = user
            self.truth.accounts.append(Active(self.clock.now, key or name))
            self.act(by, "manage.CreatePerson", name)

    def deactivate(self, name: str, *, by: str) -> None:
        people.set_active(self.users[name], False, user=self.users[by], actor=self.actor(by))
        self.users[name].refresh_from_db()
        self._end_account(name)
        self.act(by, "manage.DeactivatePerson", name)

    def remove_from_database(self, name: str, *, former: str) -> None:
        """The row of a deactivated account is deleted at the server; the month calls it `former` from here on."""
        user = self.users.pop(name)
        gone = User.objects.get(pk=user.pk)
        gone.delete()
        self.users[former] = user
        self.truth.call(name, former)

    def make_administrator(self, name: str, is_administrator: bool, *, by: str) -> None:
        people.set_administrator(self.users[name], is_administrator, user=self.users[by], actor=self.actor(by))
        self.users[name].refresh_from_db()
        self._end_account(name)
        self.truth.accounts.append(Active(self.clock.now, name, is_administrator=is_administrator))
        self.act(by, f"manage.{'Make' if is_administrator else 'Unmake'}Administrator", name)
        if is_administrator:
            self.truth.bypasses.append(Bypass(self.clock.now, self.users[by].username, "role-raised", name))

    def _end_account(self, name: str) -> None:
        for one in self.truth.accounts:
            if one.person == name and one.until is None:
                one.until = self.clock.now

    def make_team(self, name: str, owner: str, *, by: str, group: str = "") -> None:
        self.clock.tick(3)
        team = teams.create(name, self.users[owner], user=self.users[by], actor=self.actor(by))
        self.teams[name] = team
        self.truth.names.append(Named(self.clock.now, name, name))
        self.truth.members.append(Member(self.clock.now, owner, name, is_owner=True))
        self.act(by, "manage.CreateTeam", name)
        if group:
            self.clock.tick()
            teams.edit(team, name, group, user=self.users[by], actor=self.actor(by))
            self.act(by, "manage.EditTeam", name)

    def rename(self, key: str, name: str, *, by: str) -> None:
        team = self.teams[key]
        before = self.truth.name_of(key, self.clock.now)
        teams.edit(team, name, team.oidc_group, user=self.users[by], actor=self.actor(by))
        for one in self.truth.names:
            if one.team == key and one.until is None:
                one.until = self.clock.now
        self.truth.names.append(Named(self.clock.now, key, name))
        self.act(by, "manage.EditTeam", before)

    def join(self, team: str, *names: str, by: str, ends: datetime | None = None) -> None:
        for name in names:
            self.clock.tick(3)
            person, user = self.users[name], self.users[by]
            members.add(self.teams[team], person, is_owner=False, expires_at=ends, user=user, actor=self.actor(by))
            self.truth.members.append(Member(self.clock.now, name, team, ends=ends))
            self.act(by, "manage.AddMember", person.username)

    def leave(self, team: str, name: str, *, by: str) -> None:
        membership = Membership.objects.get(team=self.teams[team], user=self.users[name])
        members.remove(membership, user=self.users[by], actor=self.actor(by))
        self._end_membership(team, name)
        self.act(by, "manage.RemoveMember", self.users[name].username)

    def provider_says(self, user: User, groups: list[str]) -> None:
        """The person signed in there, now, and is in these groups; the first time makes the account."""
        name = user.username
        if name not in self.users:
            self.truth.accounts.append(Active(self.clock.now, name))
        self.users[name] = user
        wanted = {key for key, team in self.teams.items() if team.oidc_group and team.oidc_group in groups}
        have = {
            one.team for one in self.truth.members if one.person == name and one.by_group and one.holds(self.clock.now)
        }
        for key in have - wanted:
            self._end_membership(key, name)
        for key in wanted - have:
            self.truth.members.append(Member(self.clock.now, name, key, by_group=True))

    def _end_membership(self, team: str, name: str) -> None:
        for one in self.truth.members:
            if (one.team, one.person) == (team, name) and one.until is None:
                one.until = self.clock.now

    def grant(self, team: str, role: str, cluster: str, namespace: str, *, by: str) -> None:
        self.clock.tick(3)
        scope = Scope(cluster, namespace)
        grants.add(self.teams[team], Role.objects.get(name=role), scope, user=self.users[by], actor=self.actor(by))
        self.truth.grants.append(Granted(self.clock.now, team, role, cluster, namespace))
        self.act(by, "manage.AddGrant", role)

    def take_away(self, team: str, role: str, cluster: str, namespace: str, *, by: str) -> None:
        found = Grant.objects.get(team=self.teams[team], role__name=role, cluster=cluster, namespace=namespace)
        grants.remove(found, user=self.users[by], actor=self.actor(by))
        for one in self.truth.grants:
            if (one.team, one.role, one.cluster, one.namespace, one.until) == (team, role, cluster, namespace, None):
                one.until = self.clock.now
        self.act(by, "manage.RemoveGrant", role)

    def make_role(self, name: str, permissions: Iterable[str], *, by: str) -> None:
        self.clock.tick(3)
        roles.create(name, permissions, user=self.users[by], actor=self.actor(by))
        self.truth.roles.append(Holds(self.clock.now, name, frozenset(permissions)))
        self.act(by, "manage.CreateRole", name)

    def edit_role(self, name: str, permissions: Iterable[str], *, by: str) -> None:
        wanted = frozenset(permissions)
        before = self.truth.permissions_of(name, self.clock.now)
        roles.edit(Role.objects.get(name=name), name, wanted, user=self.users[by], actor=self.actor(by))
        for one in self.truth.roles:
            if one.role == name and one.until is None:
                one.until = self.clock.now
        self.truth.roles.append(Holds(self.clock.now, name, wanted))
        self.act(by, "manage.EditRole", name)
        if wanted - before:
            self.truth.bypasses.append(Bypass(self.clock.now, self.users[by].username, "role-raised", name))

    def make_token(self, name: str, *, of: str, cluster: str = "*", namespace: str = "*", days: int = 30) -> None:
        self.tokens[name] = tokens.issue(
            self.users[of],
            name=name,
            permissions=["view"],
            cluster=cluster,
            namespace=namespace,
            days=days,
            actor=self.actor(of),
        )
        self.act(of, "token.create", name)

    def revoke_token(self, name: str, *, by: str) -> None:
        tokens.revoke(self.tokens[name][0], actor=self.actor(by))
        self.act(by, "token.revoke", name)
