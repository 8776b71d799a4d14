"""Other tools that write a Service, told by the marks that they leave on it, and what of a change they will undo."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

TRAFFIC = "traffic"  # the permission that a change of the split needs (console.knative.effects)


class Undoes(StrEnum):
    """What the tool takes back, and when."""

    ALL = "all"  # it watches the object, and writes it again as soon as it differs
    AT_NEXT_DEPLOYMENT = "at-next-deployment"
    TRAFFIC = "traffic"  # the split alone


@dataclass(frozen=True, slots=True)
class Owner:
    """A tool, or a controller by its kind and name, that writes the object again from elsewhere."""

    name: str
    undoes: Undoes

    def __str__(self) -> str:
        return self.name


class _Tool(NamedTuple):
    owner: Owner
    domains: tuple[str, ...]  # of its labels and annotations, and of the kinds that it makes a Service of


ARGO_CD = Owner("Argo CD", Undoes.ALL)
FLUX = Owner("Flux", Undoes.ALL)
HELM = Owner("Helm", Undoes.AT_NEXT_DEPLOYMENT)
KSERVE = Owner("KServe", Undoes.ALL)
FLAGGER = Owner("Flagger", Undoes.TRAFFIC)
MANAGED_BY = "app.kubernetes.io/managed-by"
# Each finds by its domain's marks what it owns or prunes. Helm is the last: others deploy by it.
_TOOLS = (
    _Tool(ARGO_CD, ("argocd.argoproj.io",)),  # user guide: annotations and labels
    _Tool(FLUX, ("kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "fluxcd.io", "toolkit.fluxcd.io")),
    _Tool(Owner("Fleet (Rancher)", Undoes.ALL), ("objectset.rio.cattle.io", "fleet.cattle.io")),  # wrangler pkg/apply
    _Tool(Owner("Crossplane", Undoes.ALL), ("crossplane.io",)),  # docs: composite resources, managed resources
    _Tool(KSERVE, ("serving.kserve.io",)),  # its Services carry the InferenceService's labels and annotations
    _Tool(Owner("Camel K", Undoes.ALL), ("camel.apache.org",)),  # docs: labels of an Integration's resources
    _Tool(Owner("Config Sync", Undoes.ALL), ("configmanagement.gke.io", "configsync.gke.io")),  # docs: labels
    _Tool(Owner("KubeVela", Undoes.ALL), ("app.oam.dev",)),  # docs: resource ownership
    _Tool(FLAGGER, ("flagger.app",)),  # tutorial on Knative: it writes spec.traffic and flagger.app/primary-revision
    _Tool(
        Owner("kapp (Carvel)", Undoes.AT_NEXT_DEPLOYMENT),  # kapp docs: apply
        ("kapp.k14s.io", "kapp-controller.carvel.dev", "packaging.carvel.dev"),
    ),
    _Tool(Owner("Knative Functions", Undoes.AT_NEXT_DEPLOYMENT), ("function.knative.dev", "boson.dev")),  # func deploy
    _Tool(Owner("kubectl ApplySet", Undoes.AT_NEXT_DEPLOYMENT), ("applyset.kubernetes.io",)),  # KEP-3659
    _Tool(Owner("Skaffold", Undoes.AT_NEXT_DEPLOYMENT), ("skaffold.dev",)),  # docs: labelling
    _Tool(  # sigs.k8s.io/cli-utils
        Owner("kpt", Undoes.AT_NEXT_DEPLOYMENT),
        ("config.k8s.io", "cli-utils.sigs.k8s.io", "internal.config.kubernetes.io"),
    ),
    _Tool(Owner("Kluctl", Undoes.AT_NEXT_DEPLOYMENT), ("kluctl.io",)),  # docs: annotations
    _Tool(Owner("werf", Undoes.AT_NEXT_DEPLOYMENT), ("werf.io", "project.werf.io")),  # docs: annotations and labels
    _Tool(Owner("Tanka", Undoes.AT_NEXT_DEPLOYMENT), ("tanka.dev",)),  # docs: garbage collection
    _Tool(Owner("Pulumi", Undoes.AT_NEXT_DEPLOYMENT), ("pulumi.com",)),  # Kubernetes provider: annotations
    _Tool(HELM, ("meta.helm.sh", "helm.sh")),  # docs: labels and annotations; existing resources are adopted by them
)


# Controllers by the name under which the API server keeps what they write (managedFields). Sources: the programs' names
# or --field-manager; Flagger writes through client-go, which is its program's name.
_MANAGERS: Mapping[str, Owner] = {
    "argocd-controller": ARGO_CD,
    "argocd-application-controller": ARGO_CD,
    "kustomize-controller": FLUX,
    "helm-controller": FLUX,
    "flagger": FLAGGER,
    "kserve-controller-manager": KSERVE,
    "fleetagent": Owner("Fleet (Rancher)", Undoes.ALL),
    "crossplane": Owner("Crossplane", Undoes.ALL),
    "provider-kubernetes": Owner("Crossplane", Undoes.ALL),
    "camel-k": Owner("Camel K", Undoes.ALL),
    "configsync": Owner("Config Sync", Undoes.ALL),
    "kapp-server": Owner("kapp (Carvel)", Undoes.AT_NEXT_DEPLOYMENT),
    "helm": HELM,
    "pulumi-kubernetes": Owner("Pulumi", Undoes.AT_NEXT_DEPLOYMENT),
    "rollout-orchestrator": Owner("RolloutOrchestrator", Undoes.TRAFFIC),
}


def owners(metadata: Mapping[str, Any]) -> tuple[Owner, ...]:
    """Return the tools that write the object of this metadata, first the one that undoes most.

    A tool that is told by its controller's name is not named a second time; Helm is not where another tool deploys.
    """
    controllers = dict(_controllers(metadata))
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    found = [owner for owner in _by_marks(marks) if owner not in controllers.values()]
    every = [*controllers, *found, *(one for one in _by_traffic(metadata) if one not in found)]
    deploying = [one for one in every if one.undoes is not Undoes.TRAFFIC and one != HELM]
    named = [one for one in every if one != HELM or not deploying]
    return tuple(sorted(named, key=lambda one: tuple(Undoes).index(one.undoes)))


def traffic_managers(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of managedFields of known controllers that hold spec.traffic, with that alone."""
    return [
        {"manager": entry["manager"], "fieldsV1": {"f:spec": {"f:traffic": {}}}}
        for entry in metadata.get("managedFields") or ()
        if _manager(entry) and _holds_traffic(entry)
    ]


def _by_traffic(metadata: Mapping[str, Any]) -> list[Owner]:
    """The controllers that wrote spec.traffic last: what they wrote there they will write again."""
    found = (_manager(entry) for entry in traffic_managers(metadata))
    return list(dict.fromkeys(owner for owner in found if owner))


def _manager(entry: Mapping[str, Any]) -> Owner | None:
    """The controller of an entry of the object itself; its names may have an address or a kind behind them."""
    name = str(entry.get("manager", "")).lower()
    if entry.get("subresource"):
        return None
    return _MANAGERS.get(name) or _MANAGERS.get(re.split(r"[-/.:](?=[0-9a-f]{7,}$)", name)[0])


def _holds_traffic(entry: Mapping[str, Any]) -> bool:
    spec = (entry.get("fieldsV1") or {}).get("f:spec") or {}
    return "f:traffic" in spec


def undone(found: Iterable[Owner], permissions: Iterable[str]) -> tuple[Owner, ...]:
    """Return the tools that undo a change that needs these permissions: who has the traffic alone undoes a split."""
    changes_traffic = TRAFFIC in permissions
    return tuple(one for one in found if changes_traffic or one.undoes is not Undoes.TRAFFIC)


def tool_of(key: str) -> Owner | None:
    """Return the tool to whose domain the label or annotation belongs, or None."""
    return _tool_of_domain(key.partition("/")[0])


@lru_cache(maxsize=1024)  # the same few domains come again on every object
def _tool_of_domain(domain: str) -> Owner | None:
    return next((tool.owner for tool in _TOOLS if _is_within(domain, tool.domains)), None)


def _is_within(domain: str, domains: Iterable[str]) -> bool:
    return any(domain == one or domain.endswith(f".{one}") for one in domains)


def _controllers(metadata: Mapping[str, Any]) -> Iterator[tuple[Owner, Owner | None]]:
    """The controllers that own the object, each with the tool that it is of, where that is known."""
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller"):
            tool = _tool_of_domain(str(reference.get("apiVersion", "")).partition("/")[0])
            kind_and_name = f"{reference.get('kind', '')} {reference.get('name', '')}"
            yield Owner(f"{tool} ({kind_and_name})" if tool else kind_and_name, Undoes.ALL), tool


def _by_marks(marks: Mapping[str, str]) -> list[Owner]:
    found = {tool for key in marks if (tool := tool_of(key))}
    if marks.get(MANAGED_BY) == "Helm":
        found.add(HELM)
    return [tool.owner for tool in _TOOLS if tool.owner in found]
