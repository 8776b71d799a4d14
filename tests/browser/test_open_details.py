"""A page that brings itself up to date leaves open what its reader has opened."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.extremes import Cluster, services
from tests.console_process import RunningConsole


def test_opened_details_stay_open_over_a_live_update(visitor: Visitor, running: RunningConsole) -> None:
    page = visitor.sign_in("viewer").go("/services/sandbox/shop/cart/").page
    details = page.locator("main details:not(.menu)").filter(has=page.locator("summary", has_text="Show system labels"))
    details.locator("summary").click()
    template = {"metadata": {"annotations": {"example.com/changed": "outside"}}}
    Cluster(running).ask("PATCH", f"{services('shop')}/cart", {"spec": {"template": template}})
    expect(page.locator("main")).to_contain_text("cart-00006")
    expect(details).to_have_attribute("open", "")
