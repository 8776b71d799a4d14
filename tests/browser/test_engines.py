"""The story in Firefox and in WebKitGTK: release, split, requests, roll back. Chromium's are tested elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.looks import FOCUS
from tests.browser.webdriver import ENGINES, Reader
from tests.console_process import RunningConsole

RUST = "gcr.io/knative-samples/helloworld-rust"
LOW = 560  # pixels, so that the pages have to be scrolled
STOPS = 40


@pytest.fixture(params=ENGINES)
def reader(request: pytest.FixtureRequest, running: RunningConsole) -> Iterator[Reader]:
    with ENGINES[request.param]() as driver:
        reader = Reader(driver, running.url)
        yield reader
        reader.keep(f"engine-{request.param}")


def release(reader: Reader) -> None:
    """From a form to the end of the operation."""
    reader.press("Review changes")
    reader.until(lambda: reader.one("main button[form=apply]").is_displayed())
    reader.one("main button[form=apply]").click()
    reader.until(lambda: "/operations/" in reader.driver.current_url)
    reader.until(lambda: reader.one("#operation[data-status^='succeeded']"))


@pytest.mark.timeout(300)
def test_the_story(reader: Reader, request: pytest.FixtureRequest) -> None:
    name = f"in-{reader.driver.capabilities['browserName'].lower()}"
    service = f"/services/sandbox/default/{name}/"
    reader.sign_in("admin").go("/").shows("storefront")

    # a new service, from nothing
    reader.go("/services/new/").pick("place", "sandbox/default")
    reader.fill(reader.field("name"), name)
    reader.fill(reader.field("image"), "gcr.io/knative-samples/helloworld-go")
    release(reader)

    # image and variable in one release
    reader.go(service).shows(f"{name}-00001")
    reader.press("Edit and deploy")
    reader.until(lambda: reader.one("#section-image [name$=image]").is_displayed())
    reader.fill(reader.one("#section-image [name$=image]"), RUST)
    reader.fill(reader.one("#section-env input[name^=name-]:not([type=hidden])"), "TARGET")
    reader.fill(reader.one("#section-env [name^=value-]"), "World")
    release(reader)
    reader.go(service).shows(f"{name}-00002")

    # a sum other than 100 is refused, and what was typed stays
    reader.go(f"{service}traffic/")
    for target, percent in {"@latest": "0", f"{name}-00002": "60", f"{name}-00001": "50"}.items():
        reader.fill(reader.one(f"[aria-label='Percent for {target}']"), percent)
    reader.answered(lambda: reader.press("Review changes")).shows("Percentages add up to 110. They must total 100.")
    reader.fill(reader.one(f"[aria-label='Percent for {name}-00002']"), "50")
    release(reader)

    # the live page shows the split by itself, and requests follow it
    reader.go(service).shows("50%")
    reader.go(f"{service}test/").press("Send")
    reader.until(lambda: reader.one("#result[data-finished=yes]"))
    reader.shows("matches the configured split")

    # the way back
    reader.go(service).press("Roll back")
    reader.until(lambda: reader.one("main button[form=apply]").is_displayed())
    reader.one("main button[form=apply]").click()
    reader.until(lambda: reader.one("#operation[data-status^='succeeded']"))


def test_the_focus_is_never_covered(reader: Reader) -> None:
    reader.sign_in("admin").driver.set_window_size(1280, LOW)
    faults: list[str] = []
    for path in ("/", "/services/sandbox/payments/checkout/", "/services/sandbox/payments/checkout/deploy/", "/audit/"):
        reader.go(path)
        for key in (Keys.TAB, Keys.SHIFT + Keys.TAB):
            for _ in range(STOPS):
                reader.driver.switch_to.active_element.send_keys(key)
                found = reader.settled(FOCUS)
                faults += [f"{path}: {found['key']}: {problem}" for problem in found["problems"]] if found else []
    assert not faults, "\n".join(faults)
