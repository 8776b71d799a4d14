"""What Knative's webhook warns of, in headers that kubectl prints."""

from __future__ import annotations

import pytest

from tests.contract.client import CONTAINER, Answer, Change, Namespace, Object, env, put, service

INSECURE = "Kubernetes default value is insecure, Knative may default this to secure in a future release: "
AT = "spec.template.spec.containers[0].securityContext."
SECURE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def warned(*fields: str) -> str:
    return f'299 - "{INSECURE}{", ".join(AT + field for field in fields)}"'


WARNED: dict[str, tuple[Object, str]] = {
    "nothing-said": (
        {}, warned("allowPrivilegeEscalation", "capabilities", "runAsNonRoot", "seccompProfile"),
    ),
    "all-said": (SECURE, ""),
    "nothing-dropped": (SECURE | {"capabilities": {}}, warned("capabilities.drop")),
    "may-escalate": (SECURE | {"allowPrivilegeEscalation": True}, ""),
    "as-root": ({key: each for key, each in SECURE.items() if key != "runAsNonRoot"}, warned("runAsNonRoot")),
    "all-in-small-letters": (
        SECURE | {"capabilities": {"drop": ["all"]}},
        f"""299 - "invalid value: all: {AT}capabilities.drop", 299 - "Must be spelled as 'ALL'\"""",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNED)
def test_unsafe_defaults_are_warned_of(shared: Namespace, case: str) -> None:
    context, expected = WARNED[case]
    body_of = put(*CONTAINER, "securityContext", value=context)
    answer = _created(shared, body_of)
    assert answer.code == 201
    assert answer.headers.get("Warning", "") == expected


def test_the_share_of_the_queue_proxy_is_warned_of(shared: Namespace) -> None:
    annotations = {"queue.sidecar.serving.knative.dev/resource-percentage": "20"}
    secure = put(*CONTAINER, "securityContext", value=SECURE)
    answer = _created(shared, secure, put("spec", "template", "metadata", value={"annotations": annotations}))
    assert answer.headers["Warning"].startswith('299 - "Queue proxy resource percentage annotation is deprecated.')


def _created(ns: Namespace, *changes: Change) -> Answer:
    """A dry run of a new Service."""
    manifest = service("warned")
    for change in changes:
        change(manifest)
    return ns.api.post(f"{ns.path('services')}?dryRun=All", manifest)


def test_an_update_is_warned_of_as_well(ns: Namespace) -> None:
    assert ns.create().code == 201
    ns.settle()
    answer = ns.update(env(("A", "b")), query="?dryRun=All")
    assert answer.headers["Warning"] == WARNED["nothing-said"][1]


def test_what_is_refused_is_warned_of_as_well(shared: Namespace) -> None:
    answer = _created(shared, put("spec", "traffic", value=[{"percent": 50, "latestRevision": True}]))
    assert answer.code == 400
    assert answer.headers["Warning"] == WARNED["nothing-said"][1]


def test_a_name_that_is_taken_is_found_out_after_the_webhook_has_warned(ns: Namespace) -> None:
    assert ns.create("warned").code == 201
    answer = _created(ns)
    assert (answer.code, answer.headers["Warning"]) == (409, WARNED["nothing-said"][1])
