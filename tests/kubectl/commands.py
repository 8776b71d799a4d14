"""The commands, in their order: a service from its creation to its end, and what can be asked about a cluster.

Those of docs/sandbox.md are taken from its text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"
NAMESPACE = "shown"
IMAGE = "gcr.io/knative-samples/helloworld-go"


@dataclass(frozen=True)
class Command:
    """One command and what it is given on its standard input.

    Of a `part` command the sandbox may print less than a real cluster, which serves more kinds, but nothing else. Of
    one of `fields` only the lines that name a field are compared: descriptions are the sandbox's own. `quick` ones are
    also in `make test`. The lines of an `unordered` one come in another order when two controllers are equally fast.
    """

    text: str
    given: str = ""
    is_part: bool = False
    is_about_fields: bool = False
    is_unordered: bool = False
    is_quick: bool = False
    until: str = field(default="", compare=False)  # run again until this is in what is printed

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.text)


def service(target: str = "First", annotations: dict[str, str] | None = None, **container: object) -> str:
    env = {"env": [{"name": "TARGET", "value": target}]}
    template = {"spec": {"containers": [{"image": IMAGE, **env, **container}]}}
    scaling = {"annotations": {"autoscaling.knative.dev/min-scale": "1"} | (annotations or {})}
    metadata = {"name": "hello", "namespace": NAMESPACE}
    body = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata}
    return yaml.safe_dump(body | {"spec": {"template": {"metadata": scaling} | template}})


CLAIM = yaml.safe_dump({
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data", "namespace": NAMESPACE},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
             "storageClassName": "manual"},
})  # fmt: skip
HERE = f"-n {NAMESPACE}"
POD = f"{HERE} -l serving.knative.dev/service=hello"
KINDS = ("ksvc", "revisions", "routes", "configurations", "pods", "deployments", "replicasets", "serviceaccounts")
SHAPES = ("", " -o wide", " -o name", " --show-labels", " --no-headers", " -L app")
NAMED = {
    "ksvc": "hello", "revision": "hello-00001", "route": "hello", "configuration": "hello",
    "deployment": "hello-00001-deployment", "svc": "hello-00001", "pvc": "data", "serviceaccount": "default",
}  # fmt: skip
EXPLAINED = (
    "ksvc", "ksvc --recursive", "ksvc.spec.template.spec.containers.env", "ksvc.spec.traffic", "ksvc.metadata",
    "revision.spec --recursive", "revision.status", "route.status.traffic", "configuration.spec.template",
    "ksvc.spec.template.spec.containers.readinessProbe", "configmap", "secret", "svc.spec", "svc.spec.ports",
    "svc.status", "pvc.spec", "pvc.status", "namespace.status", "serviceaccount", "event", "deploy.spec",
    "deploy.status", "rs.spec", "rs.status", "role", "clusterrole", "rolebinding", "pods.spec.containers.env",
    "pods.metadata",
)  # fmt: skip
EXPLAINED_IN_PART = ("pods.spec", "pods.spec.containers", "pods.status", "node.spec", "node.status")
QUICK = (
    "get all", "get ksvc -o wide", "describe ksvc hello", "explain ksvc.spec.template.spec.containers.env",
    "get deployment hello-00001-deployment -o yaml",
)  # fmt: skip


def commands() -> list[Command]:
    """All of them."""
    return [*_begin(), *_shown(), *_about_the_cluster(), *_of_the_documents(), *_changes(), *_end()]


def quick() -> list[Command]:
    """Those of `make test`, with what they need before them."""
    return [*_begin()[:5], *(each for each in _shown() if each.is_quick)]


def of_the_documents() -> list[str]:
    """The kubectl commands in the code blocks of docs/sandbox.md."""
    lines = re.findall(r"^ {4}(.*\bkubectl .*)$", DOCUMENT.read_text(), re.MULTILINE)
    return [line.partition("kubectl ")[2] for line in lines]


def _begin() -> list[Command]:
    ready = "wait ksvc hello --for=condition=Ready --timeout=120s"
    return [
        Command(f"create namespace {NAMESPACE}"),
        Command(f"get serviceaccounts {HERE} -o name", until="serviceaccount/default"),
        Command("apply -f -", service()),
        Command(f"{ready} {HERE}"),
        Command(f"get deployment {HERE}", until="1/1"),
        Command("apply -f -", CLAIM),
        Command(f"describe pvc {HERE}", until="ProvisioningFailed"),
    ]


def _shown() -> Iterator[Command]:
    yield Command(f"get all {HERE}", is_quick=True)
    yield Command(f"get svc {HERE}")
    for shape in SHAPES[:2]:
        yield Command(f"get events{shape} {HERE}", is_unordered=True)
    for kind in (*KINDS, "svc", "pvc"):
        for shape in SHAPES if kind in KINDS else SHAPES[1:3]:
            text = f"get {kind}{shape}"
            yield Command(f"{text} {HERE}", is_quick=text in QUICK)
    for kind, name in NAMED.items():
        text = f"describe {kind} {name}"
        yield Command(f"{text} {HERE}", is_quick=text in QUICK)
        text = f"get {kind} {name} -o yaml"
        yield Command(f"{text} {HERE}", is_quick=text in QUICK)
    yield Command(f"get rs {HERE} -o yaml")
    yield Command(f"describe pods {POD}")
    yield Command(f"get ksvc hello {HERE} -o json")
    for path in ("{.status.url}", "{.spec.traffic[0].percent}", "{.status.conditions[*].type}", "{.nope}"):
        yield Command(f"get ksvc hello {HERE} -o jsonpath={path}")
    yield Command(f"get revisions {HERE} -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image")
    yield Command(f"get ksvc {HERE} -o go-template='{{{{len .items}}}}'")
    yield Command(f"get ksvc,revisions,routes {HERE}")
    yield Command(f"get ksvc {HERE} --sort-by=.metadata.name")
    yield Command(f"get ksvc {HERE} -l nothing=here")
    yield Command(f"get ksvc {HERE} --field-selector metadata.name=hello")
    yield Command(f"get ksvc hello {HERE} --watch --request-timeout=1s")
    yield Command(f"get ksvc,pods nope {HERE}")
    for text in EXPLAINED:
        yield Command(f"explain {text}", is_about_fields=True, is_quick=f"explain {text}" in QUICK)
    for text in EXPLAINED_IN_PART:
        yield Command(f"explain {text}", is_about_fields=True, is_part=True)
    yield Command("explain ksvc.spec.nope")


def _about_the_cluster() -> Iterator[Command]:
    yield Command("version")
    yield Command("api-versions", is_part=True)
    yield Command("api-resources", is_part=True)
    yield Command("api-resources -o wide", is_part=True)
    yield Command("api-resources --api-group=serving.knative.dev")
    yield Command("get namespaces")
    yield Command(f"describe namespace {NAMESPACE}")
    yield Command("get nope")
    yield Command("auth whoami")
    for question in ("list ksvc", "delete pods --as=mary", "create ksvc --as=mary -n shown", "get pods/log",
                     "get /healthz --as=mary", "'*' '*'"):  # fmt: skip
        yield Command(f"auth can-i {question}")


def _of_the_documents() -> Iterator[Command]:
    for text in of_the_documents():
        yield Command(text)


def _changes() -> Iterator[Command]:
    secure = {
        "securityContext": {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    }  # fmt: skip
    yield Command("apply -f -", service())
    yield Command("diff -f -", service())
    yield Command("apply --dry-run=server -f -", service("Second"))
    yield Command("apply --dry-run=client -f -", service("Second"))
    yield Command("apply -f -", service("Second", bogus=1))
    yield Command("apply --validate=warn --dry-run=server -f -", service("Second", bogus=1))
    yield Command("apply --validate=false --dry-run=server -f -", service("Second", bogus=1))
    yield Command("apply --dry-run=server -f -", service("Second", **secure))
    yield Command("apply --server-side -f -", service("Second"))
    yield Command("create -f -", service())
    yield Command(f"label ksvc hello {HERE} tier=web")
    yield Command(f"label ksvc hello {HERE} tier=back")
    yield Command(f"annotate ksvc hello {HERE} example.com/note=1")
    yield Command(f'patch ksvc hello {HERE} --type=merge -p \'{{"spec":{{"traffic":[{{"percent":50}}]}}}}\'')
    yield Command(f"patch ksvc hello {HERE} -p '{{}}'")
    yield Command(f"replace {HERE} -f -", service())
    yield Command(f"create configmap settings {HERE} --from-literal=a=1")
    yield Command(f"create secret generic db {HERE} --from-literal=a=1")
    yield Command(f"create serviceaccount robot {HERE}")
    yield Command(f"create rolebinding seers {HERE} --clusterrole=view --group=seers")
    yield Command(f"describe rolebinding seers {HERE}")
    yield Command(f"describe configmap settings {HERE}")
    yield Command(f"describe secret db {HERE}")
    yield Command(f"get configmap,secret,rolebinding {HERE}")
    yield Command(f"logs {POD} -c nope")
    yield Command(f"logs nope {HERE}")


def _end() -> Iterator[Command]:
    yield Command(f"delete ksvc hello {HERE}")
    yield Command(f"get ksvc {HERE}")
    yield Command(f"delete ksvc hello {HERE}")
    yield Command(f"delete pvc data {HERE}")
    yield Command(f"get ksvc {HERE} --ignore-not-found -o name")
