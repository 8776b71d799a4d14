"""The demo's three people. Their passwords are known to everybody, so they exist in the demo only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoUser:
    username: str
    password: str
    role: str
    can: str


DEMO_USERS = (
    DemoUser("viewer", "viewer-demo-1", "viewer", "sees everything, changes nothing"),
    DemoUser("deployer", "deployer-demo-1", "deployer", "changes variables, images, traffic"),
    DemoUser("admin", "admin-demo-1", "owner", "may do everything"),
)
