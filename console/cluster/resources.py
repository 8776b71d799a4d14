"""The kinds that the console reads, and their addresses in the API."""

from dataclasses import dataclass
from urllib.parse import quote

SERVING = "serving.knative.dev"


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of the Kubernetes API: where it is found, and how it is narrowed when it is mirrored."""

    plural: str
    group: str = ""
    version: str = "v1"
    selector: str = ""

    def path(self, namespace: str | None = None, name: str = "") -> str:
        """Return the address of all objects, of those in a namespace, or of one."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        return f"{root}{inside}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


SERVICES = Resource("services", SERVING)
CONFIGURATIONS = Resource("configurations", SERVING)
REVISIONS = Resource("revisions", SERVING)
ROUTES = Resource("routes", SERVING)
PODS = Resource("pods", selector="serving.knative.dev/revision")
EVENTS = Resource("events")
NAMESPACES = Resource("namespaces")
SECRETS = Resource("secrets")
CONFIG_MAPS = Resource("configmaps")
SERVICE_ACCOUNTS = Resource("serviceaccounts")
CLAIMS = Resource("persistentvolumeclaims")
# Nothing that can be read: the right to act as somebody has these names.
USERS = Resource("users")
GROUPS = Resource("groups")
