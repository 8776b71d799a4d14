"""What a refusal with 403 means: RBAC, a webhook, a policy or a quota."""

from __future__ import annotations

import pytest

from console.cluster.errors import Forbidden, Refused, from_answer

WEBHOOK = 'admission webhook "validate.kyverno.svc-fail" denied the request: no images from elsewhere'
KNATIVE = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: no'
POLICY = (
    "services.serving.knative.dev \"shop\" is forbidden: ValidatingAdmissionPolicy 'registry-only' with binding "
    "'everywhere' denied request: image must come from our registry"
)
QUOTA = (
    'services.serving.knative.dev "shop" is forbidden: exceeded quota: small, requested: '
    "count/services.serving.knative.dev=1, used: count/services.serving.knative.dev=5, limited: 5"
)
RBAC = 'services.serving.knative.dev "shop" is forbidden: User "dora" cannot update resource "services" in API group'


@pytest.mark.parametrize(
    ("message", "policy", "quota"),
    [
        (WEBHOOK, "validate.kyverno.svc-fail", ""),
        (KNATIVE, "", ""),
        (POLICY, "registry-only", ""),
        (QUOTA, "", "small"),
    ],
)
def test_a_refusal_by_admission_is_no_lack_of_rights(message: str, policy: str, quota: str) -> None:
    error = from_answer(403, {"message": message, "reason": "Forbidden"}, "", {})
    assert isinstance(error, Refused)
    assert (error.policy, error.quota) == (policy, quota)


def test_a_lack_of_rights_is_one() -> None:
    assert isinstance(from_answer(403, {"message": RBAC, "reason": "Forbidden"}, "", {}), Forbidden)
