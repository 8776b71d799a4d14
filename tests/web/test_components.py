"""The parts of pages give a cell its heading, escape what they are given, and refuse what does not fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import override

from console.web.markup import attribute, breakable_html
from console.web.terms import OF_FIELDS, TERMS
from tests.subset_icons import OURS, RULE, WHOLE, sources

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
EVIL = '"><script>'


def rendered(source: str, address: str = "/", **values: object) -> str:
    """A template of the parts, with white space between tags taken out."""
    context = Context({"request": RequestFactory().get(address), **values})
    html = Template("{% load components %}" + source).render(context)
    return re.sub(r">\s+<", "><", html.strip())


def test_every_template_knows_the_tags_that_it_uses() -> None:
    for path in TEMPLATES:
        get_template(str(path.relative_to(ROOT / "templates")))
    assert len(TEMPLATES) > 100


def test_every_icon_that_a_template_names_is_in_the_font() -> None:
    font = (ROOT / "static/icons/icons.css").read_text(encoding="utf-8")
    named = {
        name for path in TEMPLATES for name in re.findall(r'{% icon "([^"]+)" %}', path.read_text(encoding="utf-8"))
    }
    assert {name for name in named if f".bi-{name}::before" not in font} == set()
    assert len(named) > 30


def test_every_icon_that_any_source_names_is_in_the_subset() -> None:
    """If this fails for an icon: `make icons`."""
    known = {name for name, _code in RULE.findall((WHOLE / "bootstrap-icons.min.css").read_text(encoding="utf-8"))}
    ours = {name for name, _code in RULE.findall((OURS / "icons.css").read_text(encoding="utf-8"))}
    texts = "\n".join(path.read_text(encoding="utf-8") for path in sources())
    named = {word for word in re.findall(r"[\"'`]([a-z0-9-]+)[\"'`]|\bbi-([a-z0-9-]+)", texts) for word in word if word}
    assert (named & known) - ours == set()
    assert len((OURS / "icons.woff2").read_bytes()) < 40_000


def test_an_icon_may_be_a_value_and_is_escaped() -> None:
    assert rendered("{% icon name %}", name="trash3") == rendered('{% icon "trash3" %}')
    assert "<script>" not in rendered("{% icon name %}", name=EVIL)


TABLE = """{% table class="wide" %}{% column _("Name") %}{% if both %}{% column _("Cluster") %}{% endif %}
{% column _("Restarts") class="num" %}{% column _("Actions") hidden=True %}{% rows %}{% for row in rows %}<tr>
{% head_cell class="name" %}{{ row }}{% endhead_cell %}{% if both %}{% cell %}c{% endcell %}{% endif %}
{% cell class="bad" %}1{% endcell %}{% cell %}x{% endcell %}</tr>
{% empty %}{% empty_row %}Nothing.{% endempty_row %}{% endfor %}{% endtable %}"""


def test_a_cell_has_the_label_and_the_class_of_its_column() -> None:
    with override("zh-hans"):
        table = rendered(TABLE, rows=["a", "b"])
    assert table.startswith('<table class="grid stack wide"><thead><tr><th scope="col">名称</th>')
    assert table.count('<th scope="row" data-label="名称" class="name">') == 2
    assert table.count('class="num bad">1</td>') == 2
    assert table.count("<td>x</td>") == 2


def test_a_column_that_is_left_out_moves_no_label() -> None:
    assert '<td data-label="Cluster">c</td><td data-label="Restarts"' in rendered(TABLE, rows=["a"], both=True)


def test_an_empty_table_says_so_over_all_its_columns() -> None:
    assert '<tr><td colspan="4" class="empty">Nothing.</td></tr>' in rendered(TABLE, rows=[], both=True)
    assert '<tr><td colspan="3" class="empty">Nothing.</td></tr>' in rendered(TABLE, rows=[])


def test_an_empty_list_shows_no_headings_over_nothing() -> None:
    rows = (
        "{% for row in rows %}{% empty %}{% empty_state 'key' evil %}<a href='/'>x</a>{% endempty_state %}{% endfor %}"
    )
    table = rendered("{% table %}{% column _('Name') %}{% rows %}" + rows + "{% endtable %}", rows=[], evil=EVIL)
    assert table.startswith('<div class="empty-state"><i class="bi bi-key"')
    assert "<table" not in table
    assert "<script>" not in table


def test_what_a_cell_and_a_heading_are_given_is_escaped() -> None:
    table = "{% table %}{% column evil %}{% rows %}<tr>{% cell class=evil %}{{ evil }}{% endcell %}</tr>{% endtable %}"
    assert "<script>" not in rendered(table, evil=EVIL)


@pytest.mark.parametrize("cells", [1, 3])
def test_a_row_whose_cells_do_not_fit_the_columns_is_refused(cells: int) -> None:
    row = "<tr>" + "{% cell %}x{% endcell %}" * cells + "</tr>"
    with pytest.raises(TemplateSyntaxError, match="2 columns"):
        rendered('{% table %}{% column "a" %}{% column "b" %}{% rows %}' + row + "{% endtable %}")


def test_a_cell_may_be_as_wide_as_several_columns() -> None:
    row = "<tr>{% cell colspan=2 %}x{% endcell %}</tr><tr>{% cell %}1{% endcell %}{% cell %}2{% endcell %}</tr>"
    table = rendered('{% table %}{% column "a" %}{% column "b" class="num" %}{% rows %}' + row + "{% endtable %}")
    assert '<td colspan="2">x</td></tr><tr><td data-label="a">1</td><td data-label="b" class="num">2</td>' in table


@pytest.mark.parametrize(
    ("order", "state", "address"),
    [
        ("name", "ascending", "?q=x&amp;sort=-name"),
        ("-name", "descending", "?q=x&amp;sort=name"),
        ("age", "", "?q=x&amp;sort=name"),
    ],
)
def test_a_heading_sorts_and_then_the_other_way_round(order: str, state: str, address: str) -> None:
    source = '{% table %}{% column "Name" sort="name" %}{% rows %}{% endtable %}'
    html = rendered(source, f"/?q=x&sort={order}&page=2", order=order)
    assert f'<a href="{address}">Name' in html
    assert re.findall(r'aria-sort="(\w+)"', html) == ([state] if state else [])


@pytest.mark.parametrize(
    "tag",
    [
        '{% icon "a" "b" %}',
        '{% cell colour="red" %}x{% endcell %}',
        '{% search "a" colour="red" %}{% endsearch %}',
        '{% live_region "a" topic="b" colour="red" %}{% endlive_region %}',
        '{% panel "a" title="b" %}{% endpanel %}',
    ],
)
def test_an_argument_that_a_part_does_not_know_is_an_error(tag: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        rendered(tag)


def test_a_panel_is_named_by_its_heading_and_keeps_what_goes_next_to_it() -> None:
    html = rendered('{% panel title id="p" flush=True %}beside{% body %}inside{% endpanel %}', title=EVIL)
    assert html.startswith('<section class="panel flush" aria-labelledby="p"><div class="head inset"><h2 id="p">')
    assert html.endswith("</h2>beside</div>inside</section>")
    assert "<script>" not in html
    assert rendered("{% panel flush=True %}inside{% endpanel %}") == '<div class="panel flush">inside</div>'


def test_breadcrumbs_lead_to_the_pages_above() -> None:
    source = '{% breadcrumbs %}{% crumb "Services" "services" cluster=evil %}{% crumb evil %}{% endbreadcrumbs %}'
    html = rendered(source, evil=EVIL)
    assert html.startswith('<p class="crumbs"><a href="/?cluster=%22%3E%3Cscript%3E">Services</a> / ')
    assert "<script>" not in html


def test_a_filter_keeps_what_was_chosen() -> None:
    html = rendered(
        '{% filter_choice "box" "Box" "All" boxes %}{% filter_text "who" "Who" %}', "/?box=b&who=%22x", boxes=["a", "b"]
    )
    assert '<option value="">All</option><option value="a">a</option><option value="b" selected>b</option>' in html
    assert 'name="who" value="&quot;x"' in html


def test_a_search_keeps_the_order_and_offers_to_reset() -> None:
    source = '{% search "Search" reset="services" keep="sort" %}<b>filter</b>{% endsearch %}'
    html = rendered(source, "/?q=%22x&sort=-name")
    assert 'name="q" value="&quot;x" placeholder="Search" aria-label="Search"' in html
    assert '<input type="hidden" name="sort" value="-name">' in html
    assert "<b>filter</b>" in html
    assert 'href="/">Reset</a>' in html
    assert "Reset" not in rendered(source)


def test_a_copy_button_is_hidden_until_a_script_shows_it_and_escapes_its_text() -> None:
    html = rendered("{% copy evil label=evil %}", evil=EVIL)
    assert "<script>" not in html
    assert 'data-copy="&quot;&gt;&lt;script&gt;"' in html
    assert "data-needs-js hidden" in html


def test_a_copy_button_says_what_it_copies_and_that_it_did() -> None:
    with override("zh-hans"):
        html = rendered('{% copy "a" %}{% copy "b" label=_("Copy the token") %}')
    assert 'aria-label="复制"' in html
    assert 'aria-label="复制令牌"' in html
    assert html.count('data-copied="已复制"') == 2


def test_there_is_no_copy_button_for_nothing() -> None:
    assert rendered("{% copy nothing %}", nothing="") == ""


def test_each_term_is_said_in_one_sentence_in_each_language_and_leads_on() -> None:
    for name, term in TERMS.items():
        english = rendered('{% help "' + name + '" %}')
        with override("zh-hans"):
            chinese = rendered('{% help "' + name + '" %}')
        assert str(term.sentence) in english.replace("&#x27;", "'"), name
        assert str(term.sentence) not in chinese, name
        assert 'href="https://knative.dev/docs/' in english
    templates = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    beside = set(re.findall(r'{% help "([^"]+)" %}', templates))
    assert set(OF_FIELDS.values()) | beside == set(TERMS), "each term is beside a field, or a heading"


def test_a_field_without_a_term_has_no_help() -> None:
    assert rendered("{% help_of name %}", name="reason") == ""


@pytest.mark.parametrize("text", ["a.b/c", "<b>/&'\"", "", "example.com/shop@sha256:abc", "--flag=<x>"])
def test_a_text_that_may_break_is_escaped_piece_by_piece(text: str) -> None:
    html = breakable_html(text)
    assert html.replace("<wbr>", "") == escape(text)
    assert isinstance(html, SafeString)
    assert attribute("title", text) == (f' title="{escape(text)}"' if text else "")
    assert attribute("title", html) == (f' title="{html}"' if text else ""), "HTML is not escaped twice"
