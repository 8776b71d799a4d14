"""Pages on paper: black on white also from dark mode, all columns, no navigation, no addresses of links."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitor

PAGES = ["/audit/", "/audit/1/", "/audit/summary/", "/operations/"]
COLOURS = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const start = (one) => one.outerHTML.slice(0, 90);
  const all = (selector, is) => [...document.querySelectorAll(selector)].filter(is).map(start);
  const style = (one, part) => getComputedStyle(one, part);
  const seen = (one) => one.checkVisibility() && one.getClientRects().length;
  const says = (one) => seen(one) && !one.closest('svg')
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const isDark = ([r, g, b, alpha]) => (alpha ?? 1) > 0 && Math.min(r, g, b) < 225;
  return {
    ground: style(document.body).backgroundColor,
    faint: all('main *', (one) => says(one) && Math.max(...rgb(style(one).color).slice(0, 3)) > 60),
    dark: all('main *', (one) => says(one) && isDark(rgb(style(one).backgroundColor))),
    shown: all('header.bar, nav, form, button, footer', seen),
    cut: all('.grid td', (one) => style(one).textOverflow === 'ellipsis'),
    added: all('a', (one) => style(one, '::after').content.includes('attr')),
    split: all('.grid tbody tr', (one) => style(one).breakInside !== 'avoid'),
  };
}"""
NOTHING = {"faint": [], "dark": [], "shown": [], "cut": [], "added": [], "split": []}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_printed_black_on_white_with_all_columns_also_from_dark_mode(visitor: Visitor, path: str) -> None:
    visitor.sign_in("admin")
    visitor.page.emulate_media(color_scheme="dark")
    visitor.go(path)
    visitor.page.locator("html[data-bs-theme=dark]").wait_for(state="attached")
    headings = visitor.page.locator("main thead th").all_text_contents()
    visitor.page.emulate_media(media="print", color_scheme="dark")
    visitor.page.set_viewport_size({"width": 720, "height": 1000})  # A4 less its margins
    found = visitor.page.evaluate(COLOURS)
    assert found.pop("ground") == "rgb(255, 255, 255)"
    assert found == NOTHING
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 720
    assert visitor.page.locator("main thead th:visible").all_text_contents() == headings
    visitor.keep(f"print{path.replace('/', '-')}")
    assert visitor.page.pdf(format="A4", print_background=True).startswith(b"%PDF")
