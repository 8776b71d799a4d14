"""The demo's three people and their teams. Their passwords are known to everybody, so they exist in the demo only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoUser:
    username: str
    password: str
    role: str
    can: str


DEMO_USERS = (
    DemoUser("viewer", "viewer-demo-1", "viewer", "views everything, changes nothing"),
    DemoUser("deployer", "deployer-demo-1", "deployer", "changes environment variables, images and traffic"),
    DemoUser("admin", "admin-demo-1", "owner", "can do everything"),
)


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """`grants` are (role, namespace) pairs on every cluster; who `left` had a membership that has ended."""

    name: str
    grants: tuple[tuple[str, str], ...]
    owner: str
    members: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


DEMO_TEAMS = (
    DemoTeam("Everyone", (("viewer", "*"),), "admin", members=("viewer", "deployer")),
    DemoTeam("Delivery", (("deployer", "*"),), "deployer"),
    DemoTeam("Shop", (("operator", "shop"),), "deployer", left=("viewer",)),
    DemoTeam("Platform", (("owner", "*"),), "admin"),
)
