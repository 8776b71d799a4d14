"""The addresses of every page, for what must hold on all of them."""

from __future__ import annotations

import re

from tests.browser.extremes import LONGEST, LONGEST_NAMESPACE

PAGES = [
    "/",
    "/revisions/",
    "/services/new/",
    "/services/sandbox/shop/storefront/",
    "/services/sandbox/shop/recommendations/",
    "/services/sandbox/shop/storefront/revisions/",
    "/services/sandbox/shop/storefront/revisions/storefront-00003/?with=storefront-00002",
    "/services/sandbox/shop/storefront/history/",
    "/services/sandbox/payments/checkout/deploy/",
    "/services/sandbox/shop/cart/env/",
    "/services/sandbox/shop/cart/image/",
    "/services/sandbox/shop/storefront/traffic/",
    "/services/sandbox/shop/cart/settings/",
    "/services/sandbox/shop/cart/operate/",
    "/services/sandbox/shop/cart/clone/",
    "/services/sandbox/payments/checkout/env/",
    "/services/sandbox/payments/checkout/settings/",
    "/services/sandbox/payments/checkout/revisions/checkout-00002/logs/",
    "/services/bulk/",
    "/services/sandbox/shop/cart/yaml/",
    "/services/sandbox/shop/cart/delete/",
    "/services/sandbox/shop/cart/test/",
    "/operations/",
    "/activity/",
    "/approvals/",
    "/protection/",
    "/protection/rule/new/",
    "/protection/window/new/",
    "/audit/",
    "/audit/summary/",
    "/audit/decisions/",
    "/audit/proof/",
    "/tokens/",
    "/tokens/new/",
    "/api/",
    "/teams/",
    "/teams/1/",
    "/teams/1/edit/",
    "/teams/1/delete/",
    "/teams/1/members/1/",
    "/teams/new/",
    "/teams/roles/",
    "/teams/roles/1/",
    "/teams/people/",
    "/teams/people/1/",
    "/teams/people/new/",
    "/teams/why/?person=viewer&cluster=sandbox&namespace=shop&service=cart&permission=traffic",
    "/clusters/",
    "/clusters/add/",
    "/cluster/sandbox/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/webauthn/",
    "/accounts/reauthenticate/",
    "/accounts/sessions/",
    "/accounts/logout/",
    "/no-such-page/",
]
LONG = f"/services/sandbox/{LONGEST_NAMESPACE}/{LONGEST}/"
EXTREMES = [  # after extremes.seed
    "/revisions/?q=a-service",
    "/?namespace=namespace-49",
    "/?q=a-service",
    "/services/bulk/?namespace=namespace-49",
    LONG,
    f"{LONG}revisions/",
    f"{LONG}traffic/",
    f"{LONG}delete/",
    "/services/sandbox/default/variables/",
    "/services/sandbox/default/variables/deploy/",
    "/services/sandbox/default/variables/env/",
    "/services/sandbox/default/many-revisions/",
    "/services/sandbox/default/many-revisions/revisions/",
    "/services/sandbox/default/many-revisions/traffic/",
    "/services/sandbox/default/long-error/",
    "/services/sandbox/default/long-error/revisions/",
    "/services/sandbox/default/long-error/revisions/long-error-00001/",
]
FIRST_OF = {  # what only exists once something was done: the list, and the first of its entries
    "operation": ("/operations/?status=succeeded", "main tbody th a"),
    "operation-failed": ("/operations/?status=failed", "main tbody th a"),
    "operation-waiting": ("/approvals/", "main tbody th a"),
    "audit-entry": ("/audit/?group=changes", "main tbody a[href^='/audit/']:not([href*='?'])"),
    "history-moment": ("/services/sandbox/shop/storefront/history/", "main tbody a"),
}


def title_of(path: str) -> str:
    return re.sub("[^a-z0-9]+", "-", path.lower()).strip("-") or "services"
