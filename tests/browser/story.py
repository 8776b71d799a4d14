"""The story that every Knative user knows, from first sign-in to a split that answers by revision."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visitor
from tests.knative.test_progress import LINES
from tests.waiting import eventually

# A queue-proxy alone waits 30 s for late requests before it ends.
ASLEEP_SECONDS = 120
BY_TEMPLATE, BY_ROUTE = LINES["env-update"], LINES["split-50-50"]


def apply(visitor: Visitor, picture: str = "") -> None:
    """From the form to the preview, and from there to the operation's page."""
    visitor.page.get_by_role("button", name=re.compile("^Review changes")).click()
    expect(visitor.page.get_by_role("heading", name="Review changes")).to_be_visible()
    if picture:
        visitor.keep(picture)
    visitor.page.locator("main button[form=apply]").click()
    visitor.page.wait_for_url(re.compile("/operations/"))


def timeline(visitor: Visitor) -> tuple[list[str], list[str]]:
    """Wait for the end; return the timeline's progress lines and its closing ones."""
    visitor.page.wait_for_selector("#operation[data-status^='succeeded']")
    # The last line: the state may be shown a moment before it.
    visitor.page.wait_for_selector("#timeline .line-url", state="attached")
    progress = visitor.page.locator("#timeline .line-progress td.break")
    closing = visitor.page.locator("#timeline .line-closing td.break, #timeline .line-url td.break")
    return texts(progress), texts(closing)


def texts(found: Locator) -> list[str]:
    """Their texts, shown or folded."""
    return [" ".join(text.split()) for text in found.all_text_contents()]


def play(visitor: Visitor, cluster: str, *, is_sandbox: bool) -> None:
    """Everything that knative-facts tells under "the story every user knows", on a service `hello` with one revision.

    Only the sandbox has demo services and resolved digests.
    """
    page = visitor.page
    hello = f"/services/{cluster}/default/hello/"

    # 1, 2: sign in; the list says what is serving now, and filters through the URL
    visitor.sign_in("deployer").go("/")
    expect(page.locator("tr", has=page.get_by_role("link", name="hello", exact=True))).to_contain_text(
        "100% hello-00001"
    )
    if is_sandbox:
        expect(page.get_by_text("newer search-00003 gets 0%")).to_be_visible()
    visitor.keep(f"{cluster}-01-services")
    page.fill("[name=q]", "hello")  # the list follows what is typed
    expect(page).to_have_url(re.compile("q=hello"))

    # 3: the service page tells what a new revision will get
    visitor.go(hello)
    expect(page.get_by_text("Tracks the latest revision")).to_be_visible()
    expect(page.locator("main .chip", has_text="latest").first).to_be_visible()
    if is_sandbox:
        expect(page.locator("main")).to_contain_text("(pinned to 5ea96b)")
    visitor.keep(f"{cluster}-02-service")

    # 5: update a variable; masked until revealed; the timeline is kn's, live
    visitor.go(f"{hello}env/")
    assert "First" not in page.content()
    page.click("button:has-text('Reveal values')")
    expect(page.locator("[name=value-0]")).to_have_value("First")  # the only variable: its line is open
    page.fill("[name=value-0]", "Second")
    visitor.keep(f"{cluster}-03-env-form")
    apply(visitor, f"{cluster}-04-preview")
    lines, closing = timeline(visitor)
    assert lines == BY_TEMPLATE
    assert closing[0] == "Service 'hello' updated to latest revision 'hello-00002' is available at URL:"
    assert closing[1] == "http://hello.default.example.com"
    visitor.keep(f"{cluster}-05-operation")

    # 5: closing the tab and coming back shows the same timeline, complete
    address = page.url
    page.close()
    visitor.page = page = visitor.context.new_page()
    page.goto(address)
    assert timeline(visitor)[0] == BY_TEMPLATE

    # 5: an image update likewise
    visitor.go(f"{hello}image/")
    page.fill("[name=image]", "gcr.io/knative-samples/helloworld-rust")
    apply(visitor)
    lines, closing = timeline(visitor)
    assert lines == BY_TEMPLATE
    assert "hello-00003" in closing[0]

    # 6: sums other than 100 are refused beside the field, and nothing is lost
    visitor.go(f"{hello}traffic/")
    shares = {"@latest": "0", "hello-00003": "50", "hello-00002": "60"}
    for name, percent in shares.items():
        page.get_by_label(f"Percent for {name}", exact=True).fill(percent)
    expect(page.locator("[data-sum]")).to_have_text("110%")
    page.locator("form[data-split]").evaluate("form => { form.dataset.sent = 'yes'; }")
    page.get_by_role("button", name=re.compile("^Review changes")).click()
    # The sum is told while it is typed, too: only a new form is the answer, which a slow machine takes its time for.
    expect(page.locator("form[data-split]:not([data-sent])")).to_be_visible()
    expect(page.get_by_text("Percentages add up to 110. They must total 100.")).to_be_visible()
    expect(page.get_by_label("Percent for hello-00002", exact=True)).to_have_value("60")
    visitor.keep(f"{cluster}-06-refused-sum")

    # 6: 50/50, then 50/25/25; no revision is made by it, and the page says so
    page.get_by_label("Percent for hello-00002", exact=True).fill("50")
    apply(visitor)
    lines, closing = timeline(visitor)
    assert lines == BY_ROUTE
    assert closing[0] == "Service 'hello' with latest revision 'hello-00003' (unchanged) is available at URL:"
    expect(page.locator("dl", has_text="Generation")).to_contain_text("unchanged")
    visitor.go(f"{hello}traffic/")
    for name, percent in {"@latest": "0", "hello-00003": "50", "hello-00002": "25", "hello-00001": "25"}.items():
        page.get_by_label(f"Percent for {name}", exact=True).fill(percent)
    visitor.keep(f"{cluster}-07-traffic")
    apply(visitor)
    assert timeline(visitor)[0] == BY_ROUTE

    visitor.go(hello)
    expect(page.locator("main")).to_contain_text("25%")
    visitor.keep(f"{cluster}-12-split")

    # 4: history and revision page
    visitor.go(f"{hello}revisions/")
    for share in ("50%", "25%"):
        expect(page.locator("main")).to_contain_text(share)
    visitor.keep(f"{cluster}-08-revisions")
    visitor.go(f"{hello}revisions/hello-00001/")
    expect(page.locator("main")).to_contain_text("TARGET")
    visitor.keep(f"{cluster}-09-revision")

    # 7: 200 requests land within what chance allows, by revision and body
    visitor.go(f"{hello}test/")
    page.fill("[name=count]", "200")
    page.get_by_role("button", name=re.compile("^Send")).click()
    page.wait_for_selector("#result[data-finished=yes]")
    expect(page.locator("#fit")).to_contain_text("matches the configured split")
    for body in ("Hello First!", "Hello Second!", "Hello world: Second"):
        expect(page.locator("#result, main").get_by_text(body, exact=True).first).to_be_visible()
    visitor.keep(f"{cluster}-10-access-test")

    # 4: pods run after the requests
    visitor.go(f"{hello}revisions/hello-00001/")
    expect(page.locator("main")).to_contain_text("2/2")

    # a rollback is one click on a revision, a preview and a split like any other
    visitor.go(f"{hello}traffic/?all=hello-00001")
    apply(visitor)
    lines, _closing = timeline(visitor)
    assert lines == BY_ROUTE, lines
    visitor.go(hello)
    expect(page.get_by_text("Pinned to hello-00001: a new revision gets 0%")).to_be_visible()

    # 8: every change is in the audit list
    visitor.sign_out().sign_in("admin").go("/audit/?service=hello")
    for action in ("deploy.SetEnv", "deploy.SetImage", "traffic.SplitTraffic", "reveal.Env"):
        expect(page.get_by_role("cell", name=action).first).to_be_visible()
    assert "Second" not in page.locator("tr", has_text="deploy.SetEnv").first.inner_text()
    visitor.keep(f"{cluster}-11-audit")

    # 4: a revision without traffic has no pods after a while
    def is_asleep() -> bool:
        visitor.go(f"{hello}revisions/hello-00003/")
        return "No pods: scaled to zero" in page.locator("main").inner_text()

    eventually(is_asleep, timeout=ASLEEP_SECONDS, message="hello-00003 keeps its pods")
    visitor.keep(f"{cluster}-13-asleep")
