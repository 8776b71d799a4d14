"""What a person may have before them: every page, and what is only there once something was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from playwright.sync_api import Browser, Page

from tests.browser.conftest import PASSWORDS, PATIENCE_MS, Visitor
from tests.browser.extremes import LONG_IMAGE, seed
from tests.browser.pages import EXTREMES, FIRST_OF, PAGES, title_of
from tests.console_process import RunningConsole

HISTORY = {"CONSOLE_DEMO_HISTORY": "1"}  # the environment of a console whose lists have entries
PROTECTED = "cluster=sandbox&namespace=shop&service=catalog"


def prepare(running: RunningConsole, browser: Browser) -> None:
    """Fill the cluster with extremes, protect a service, and ask for the approval of a change of it."""
    seed(running)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    admin = Visitor(context, running.url).sign_in("admin")
    admin.go(f"/protection/rule/new/?{PROTECTED}").page.get_by_role("button", name="Save").click()
    admin.page.wait_for_url("**/protection/")
    context.close()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    deployer = Visitor(context, running.url).sign_in("deployer")
    review(deployer, "/services/sandbox/shop/catalog/")
    deployer.page.locator("[name=reason]").fill("A reason that says why somebody else should look at this first")
    deployer.page.locator("main .foot .btn-primary").click()
    deployer.page.wait_for_url("**/operations/*-*/")
    context.close()


def scenes(visitor: Visitor) -> Iterator[tuple[str, Callable[[], object]]]:
    """The pages by name, and how each is opened."""
    yield "token-made", partial(make_token, visitor)  # while the sign-in is fresh
    for path in (*PAGES, *EXTREMES):
        yield title_of(path), partial(visitor.go, path)
    yield "review", partial(review, visitor, "/services/sandbox/shop/cart/")
    yield "bulk-review", partial(bulk_review, visitor)
    for name, (path, link) in FIRST_OF.items():
        yield name, partial(open_first, visitor, path, link)


def review(visitor: Visitor, service: str) -> Page:
    """A change that is about to be made, with as long an image as there may be."""
    page = visitor.go(f"{service}image/").page
    page.locator("[name=image]").first.fill(LONG_IMAGE)
    page.locator("main .btn-primary[data-once]").last.click()
    page.locator("#review").wait_for()
    return page


def bulk_review(visitor: Visitor) -> None:
    """One change of three services; one of them is protected."""
    chosen = "&".join(f"services=sandbox/shop/{name}" for name in ("cart", "catalog", "storefront"))
    page = visitor.go(f"/services/bulk/?{chosen}").page
    page.locator("[name=name]").fill("LOG_LEVEL")
    page.locator("[name=value]").fill("debug")
    page.locator("main .buttons .btn-primary").click()
    page.locator("#apply").wait_for()


def make_token(visitor: Visitor) -> None:
    """The one time that a token is shown. The password is asked for first."""
    page = visitor.go("/tokens/new/").page
    page.locator("[name=name]").fill("Status board")
    page.locator("main .buttons .btn-primary").click()
    password = page.locator("main [name=password]")
    password.or_(page.locator("[data-select]")).wait_for()
    if password.count():
        password.fill(PASSWORDS["admin"])
        page.locator("main button").click()
    page.locator("[data-select]").wait_for()


def open_first(visitor: Visitor, path: str, link: str) -> None:
    """Open what a list has first."""
    visitor.go(path).page.locator(link).filter(visible=True).first.click()
    visitor.page.wait_for_load_state()
