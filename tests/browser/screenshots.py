"""`make screenshots`: a picture of every page, as different people see it, with the demo's data and with extreme data.

Starts a console of its own, fills its sandbox (extremes.py), and writes screenshots/LOOK/PAGE.png with an index.html.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, SANDBOX_SPEED, Visitor
from tests.browser.extremes import LONG_IMAGE, seed
from tests.browser.pages import EXTREMES, FIRST_OF, PAGES
from tests.console_process import console

FOLDER = Path("screenshots")
# What stays in sight would lie in the middle of the picture of a long page.
UNPINNED = ".bar, .foot, thead th { position: static !important; }"


class Look(NamedTuple):
    language: str
    colours: Literal["light", "dark"]
    width: int
    height: int = 900


LOOKS = {
    "light": Look("en-GB", "light", 1280),
    "dark": Look("en-GB", "dark", 1280),
    "chinese": Look("zh-CN", "light", 1280),
    "375px": Look("en-GB", "light", 375),
    "320px": Look("en-GB", "dark", 320),
}


def main(looks: list[str]) -> None:
    with console(sandbox_speed=SANDBOX_SPEED) as running, sync_playwright() as playwright:
        seed(running)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name in looks or LOOKS:
            print(f"{name}: {take(browser, running.url, name)} pictures in {FOLDER / name}", flush=True)
        browser.close()
    (FOLDER / "index.html").write_text(index())


def take(browser: Browser, base: str, name: str) -> int:
    """Take the pictures of one look; return how many."""
    look, folder = LOOKS[name], FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height},
        locale=look.language,
        color_scheme=look.colours,
        reduced_motion="reduce",
        bypass_csp=True,  # for UNPINNED
    )
    visitor = Visitor(context, base)
    visitor.go("/accounts/login/").page.screenshot(path=str(folder / "sign-in.png"), full_page=True)
    visitor.sign_in("admin")
    count = 1
    for title, is_open in scenes(visitor):
        is_open()
        visitor.page.add_style_tag(content=UNPINNED)
        visitor.page.screenshot(path=str(folder / f"{title}.png"), full_page=True)
        count += 1
    context.close()
    return count


def scenes(visitor: Visitor) -> Iterator[tuple[str, Callable[[], object]]]:
    """The pages by name, and how each is opened."""
    for path in (*PAGES, *EXTREMES):
        yield title_of(path), partial(visitor.go, path)
    yield "review", partial(review, visitor)
    for path, link in FIRST_OF.items():
        yield f"{title_of(path)}-first", partial(open_first, visitor, path, link)


def review(visitor: Visitor) -> Page:
    """A change that is about to be made, with as long an image as there may be."""
    page = visitor.go("/services/sandbox/shop/cart/image/").page
    page.locator("[name=image]").first.fill(LONG_IMAGE)
    page.locator("main").get_by_role("button", name="Review changes").or_(
        page.locator("main .foot button")
    ).last.click()
    page.locator("#review").wait_for()
    return page


def open_first(visitor: Visitor, path: str, link: str) -> None:
    """Open what a list has first; what has no entry keeps the list."""
    found = visitor.go(path).page.locator(link).filter(visible=True)
    if found.count():
        found.first.click()
        visitor.page.wait_for_load_state()


def title_of(path: str) -> str:
    return re.sub("[^a-z0-9]+", "-", path.lower()).strip("-") or "services"


def index() -> str:
    """All pictures of a page side by side."""
    pages = sorted({picture.name for picture in FOLDER.glob("*/*.png")})
    rows = (f"<h2>{escape(page)}</h2>" + "".join(map(shown, sorted(FOLDER.glob(f"*/{page}")))) for page in pages)
    return "<!doctype html><meta charset=utf-8><title>Screenshots</title>" + "".join(rows)


def shown(picture: Path) -> str:
    address = escape(str(picture.relative_to(FOLDER)))
    return f'<a href="{address}"><img src="{address}" width="400" alt=""></a> '


if __name__ == "__main__":
    main(sys.argv[1:])
