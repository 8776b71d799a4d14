"""How the console names a service: cluster, namespace and name together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ServiceRef:
    """A Knative service in one of the clusters."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"
