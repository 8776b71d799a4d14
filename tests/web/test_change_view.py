"""All pages that change a service are of one class: form, preview, operation."""

from __future__ import annotations

import pytest
from django.template.loader import get_template

from console.web.urls import urlpatterns
from console.web.views.changes import ChangeView

PAGES = {
    pattern.name: pattern.callback.view_class
    for pattern in urlpatterns
    if issubclass(getattr(getattr(pattern, "callback", None), "view_class", object), ChangeView)
}


def test_the_pages_that_change_one_service() -> None:
    edits = {"deploy", "env", "image", "settings", "yaml", "traffic", "operate"}
    assert set(PAGES) == {*edits, "create", "clone", "delete", "delete-revision"}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_has_a_template_and_the_entry_of_the_menu_that_leads_to_it(name: str) -> None:
    page = PAGES[name].page
    assert page == name.replace("-", "_")
    assert get_template(f"changes/{page}.html")
