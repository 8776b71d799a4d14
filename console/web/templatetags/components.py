"""The parts that pages are made of: icon, breadcrumbs, panel, table, search. (`live` has live regions.)

Tags of Django's own kind (docs/decisions/0002-libraries.md has the comparison). What a page writes between the tags of
a part is inserted as it is, escaped by the page; what it passes as an argument is escaped here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.template import Context, Library, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, TextNode, Token, kwarg_re
from django.template.defaulttags import querystring
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.web.markup import NOTHING, attribute, class_html, icon_html
from console.web.small_parts import copy, filter_choice, filter_text, help, help_of, list_head

register = Library()

CRUMBS = "component_crumbs"  # where the tags inside a part find it in the context
TABLE = "component_table"

Arguments = dict[str, FilterExpression]


def arguments(parser: Parser, token: Token, *names: str) -> Arguments:
    """The arguments of a tag by name; those without a name take the names in their order."""
    tag, *bits = token.split_contents()
    given: Arguments = {}
    for position, bit in enumerate(bits):
        match = kwarg_re.match(bit)
        name, value = match.groups() if match else (None, bit)
        name = name or names[min(position, len(names) - 1)]
        if name not in names or name in given:
            raise TemplateSyntaxError(f"{tag}: unexpected {bit}; it takes {', '.join(names)}")
        given[name] = parser.compile_filter(value)
    return given


def resolved(given: Arguments, name: str, context: Context) -> Any:
    return given[name].resolve(context) if name in given else ""


def enclosed(parser: Parser, end: str) -> NodeList:
    """What a tag encloses: everything up to its end tag, which is consumed."""
    nodelist = parser.parse((end,))
    parser.delete_first_token()
    return nodelist


def class_of(attributes: dict[str, str]) -> str:
    """The class among the further arguments of a tag (a parameter cannot have that name); there are no others."""
    if attributes.keys() - {"class"}:
        raise TemplateSyntaxError(f"unexpected {', '.join(attributes.keys() - {'class'})}")
    return attributes.get("class", "")


def part(context: Context, name: str, values: dict[str, Any]) -> SafeString:
    """Render a part whose markup is in templates/components."""
    template = context.template.engine.get_template(f"components/{name}.html")  # type: ignore[union-attr]  # a page is being rendered
    with context.push(**values):
        return template.render(context)


# --- Icons -----------------------------------------------------------------------------------------


@register.tag
def icon(parser: Parser, token: Token) -> Node:
    """`{% icon "trash3" %}`: an icon beside a word; screen readers skip it."""
    try:
        _, bit = token.split_contents()
    except ValueError as error:
        raise TemplateSyntaxError("icon takes one name") from error
    name = parser.compile_filter(bit)
    if name.is_var:
        return IconNode(name)
    return TextNode(icon_html(name.resolve(Context())))  # the name is written down: nothing is left to do for a page


@dataclass(eq=False)
class IconNode(Node):
    """An icon whose name is a value of the page."""

    name: FilterExpression

    def render(self, context: Context) -> SafeString:
        return icon_html(self.name.resolve(context))


# --- Breadcrumbs -----------------------------------------------------------------------------------


@register.tag
def breadcrumbs(parser: Parser, token: Token) -> Node:
    """`{% breadcrumbs %}{% crumb _("Teams") "teams" %}{% endbreadcrumbs %}`: the pages above this one."""
    return BreadcrumbsNode(enclosed(parser, "endbreadcrumbs"))


@dataclass(eq=False)
class BreadcrumbsNode(Node):
    nodelist: NodeList

    def render(self, context: Context) -> SafeString:
        crumbs: list[SafeString] = []
        with context.push(**{CRUMBS: crumbs}):
            self.nodelist.render(context)
        return format_html('<p class="crumbs">{}</p>', format_html_join(" / ", "{}", ((one,) for one in crumbs)))


@register.simple_tag(takes_context=True)
def crumb(context: Context, label: Any, view: str = "", *args: Any, **query: Any) -> str:
    """One page above this one: its name, the name of its address (none: no link) and the values of its query string."""
    if view:
        address = reverse(view, args=args) + ("?" + urlencode(query) if query else "")
        context[CRUMBS].append(format_html('<a href="{}">{}</a>', address, label))
    else:
        context[CRUMBS].append(format_html("{}", label))
    return ""


# --- Panels ----------------------------------------------------------------------------------------


@register.tag
def panel(parser: Parser, token: Token) -> Node:
    """`{% panel _("Pods") id="pods" %}…{% endpanel %}`; what precedes `{% body %}` goes next to the heading."""
    given = arguments(parser, token, "title", "id", "flush", "class")
    head, body = None, parser.parse(("body", "endpanel"))
    if parser.next_token().contents == "body":
        head, body = body, enclosed(parser, "endpanel")
    return PanelNode(given, head, body)


@dataclass(eq=False)
class PanelNode(Node):
    given: Arguments
    head: NodeList | None
    body: NodeList
    child_nodelists = ("head", "body")

    def render(self, context: Context) -> SafeString:
        title, name = resolved(self.given, "title", context), resolved(self.given, "id", context)
        flush = "flush" if resolved(self.given, "flush", context) else ""
        css = class_html("panel", flush, resolved(self.given, "class", context))
        if not title:
            return format_html("<div{}>{}</div>", css, self.body.render(context))
        heading = format_html("<h2{}>{}</h2>", attribute("id", name), title)
        if self.head is not None or flush:
            extras = self.head.render(context) if self.head is not None else ""
            heading = format_html("<div{}>{}{}</div>", class_html("head", flush and "inset"), heading, extras)
        labelled = attribute("aria-labelledby", name)
        return format_html("<section{}{}>{}{}</section>", css, labelled, heading, self.body.render(context))


# --- Tables ----------------------------------------------------------------------------------------


@dataclass
class Column:
    """What the cells of a column take from it: the label that they show on narrow screens, and the class."""

    label: str  # empty where the heading is hidden
    css: str


@dataclass
class Table:
    """The columns of a table and the place in the row that is being written."""

    columns: list[Column] = field(default_factory=list)
    place: int = 0
    openings: dict[tuple[Any, ...], SafeString] = field(default_factory=dict)  # start tags, made once for all rows
    instead: SafeString | None = None  # what is shown where there are no rows

    def opening(self, tag: SafeString, css: str, label: str, width: int) -> SafeString:
        """The start tag of the next cell. A row ends when its columns are filled."""
        key = (self.place, tag, css, label, width)
        if key not in self.openings:
            self.openings[key] = start_tag(self.columns[self.place], tag, css, label, width)
        self.place = (self.place + width) % len(self.columns)
        return self.openings[key]


def start_tag(column: Column, tag: SafeString, css: str, label: str, width: int) -> SafeString:
    """A cell over several columns has neither label nor class of the first of them."""
    if width > 1:
        return format_html('<{} colspan="{}"{}>', tag, width, class_html(css))
    return format_html("<{}{}{}>", tag, attribute("data-label", label or column.label), class_html(column.css, css))


@register.tag
def table(parser: Parser, token: Token) -> Node:
    """`{% table %}{% column _("Name") %}{% rows %}<tr>{% cell %}…{% endcell %}</tr>{% endtable %}`.

    A cell belongs to the column at its place, as in HTML, and takes its label and class from there. `grows` marks rows
    that static/js/further-rows.js can copy.
    """
    given = arguments(parser, token, "class", "grows")
    return TableNode(given, enclosed(parser, "rows"), enclosed(parser, "endtable"))


@dataclass(eq=False)
class TableNode(Node):
    given: Arguments
    heads: NodeList
    body: NodeList
    child_nodelists = ("heads", "body")

    def render(self, context: Context) -> SafeString:
        found = Table()
        with context.push(**{TABLE: found}):
            heads, body = self.heads.render(context), self.body.render(context)
        if found.instead:
            return found.instead
        if found.place:
            raise TemplateSyntaxError(f"the cells do not fill the rows of a table with {len(found.columns)} columns")
        css = class_html("grid stack", resolved(self.given, "class", context))
        rows = GROWING if resolved(self.given, "grows", context) else NOTHING
        return format_html(TABLE_HTML, css, heads, rows, body)


TABLE_HTML = "<table{}><thead><tr>{}</tr></thead><tbody{}>{}</tbody></table>"
GROWING = SafeString(" data-rows")
ARIA_HIDDEN = SafeString(' aria-hidden="true"')


@register.simple_tag(takes_context=True)
def column(
    context: Context, label: str, sort: str = "", hidden: bool = False, heading_class: str = "", **attributes: str
) -> SafeString:
    """A heading. `sort`: the order that it sorts by; `hidden`: for screen readers alone; `class`: for its cells too."""
    css = class_of(attributes)
    context[TABLE].columns.append(Column("" if hidden else label, css))
    if sort:
        return sorting(context, label, sort)
    shown = format_html('<span class="visually-hidden">{}</span>', label) if hidden else label
    nameless = NOTHING if label else ARIA_HIDDEN
    return format_html('<th scope="col"{}{}>{}</th>', class_html(css, heading_class), nameless, shown)


@register.simple_block_tag(takes_context=True)
def heading(context: Context, content: str, label: str = "") -> SafeString:
    """A heading that is more than a word; `label` is what its cells show on narrow screens."""
    context[TABLE].columns.append(Column(label, ""))
    return format_html('<th scope="col">{}</th>', content)


def sorting(context: Context, label: str, key: str) -> SafeString:
    """A heading that sorts the list by `key`, and the other way round when it is sorted so. Uses the page's `order`."""
    order = context["order"]
    state = {key: "ascending", f"-{key}": "descending"}.get(order, "")
    return format_html(
        '<th scope="col"{}><a href="{}">{}{}</a></th>',
        attribute("aria-sort", state),
        querystring(context, context["request"].GET, sort=f"-{key}" if order == key else key, page=None),
        label,
        CARETS.get(state, NOTHING),
    )


CARETS = {
    "ascending": format_html(" {}", icon_html("caret-up-fill")),
    "descending": format_html(" {}", icon_html("caret-down-fill")),
}


@register.tag
def cell(parser: Parser, token: Token) -> Node:
    """`{% cell class="nowrap" %}…{% endcell %}`. `label` replaces the column's heading, `colspan` is its width."""
    return CellNode(TD, arguments(parser, token, "class", "label", "colspan"), enclosed(parser, "endcell"))


@register.tag
def head_cell(parser: Parser, token: Token) -> Node:
    """The cell that names its row."""
    return CellNode(TH, arguments(parser, token, "class", "label"), enclosed(parser, "endhead_cell"))


TD = SafeString("td")
TH = SafeString('th scope="row"')
ENDS = {TD: SafeString("</td>"), TH: SafeString("</th>")}


@dataclass(eq=False)
class CellNode(Node):
    tag: SafeString
    given: Arguments
    nodelist: NodeList

    def render(self, context: Context) -> SafeString:
        css, label = resolved(self.given, "class", context), resolved(self.given, "label", context)
        width = resolved(self.given, "colspan", context) or 1
        opening: SafeString = context[TABLE].opening(self.tag, css, label, width)
        return opening + self.nodelist.render(context) + ENDS[self.tag]


@register.simple_block_tag(takes_context=True)
def empty_state(context: Context, content: str, name: str, sentence: str) -> SafeString:
    """`{% empty_state "box-seam" _("No services yet.") %}<a …>{% endempty_state %}`: an icon, a sentence, what next.

    In place of a list; or in a table that has no rows, whose headings then are not shown either.
    """
    html = format_html('<div class="empty-state">{}<p>{}</p>{}</div>', icon_html(name), sentence, content)
    if TABLE not in context:
        return format_html('<div class="panel">{}</div>', html)
    context[TABLE].instead = html
    return NOTHING


@register.simple_block_tag(takes_context=True)
def empty_row(context: Context, content: str, **attributes: str) -> SafeString:
    """What a table without rows says that is a part of a page; a list has an `empty_state`."""
    width = len(context[TABLE].columns)
    return format_html(
        '<tr><td colspan="{}"{}>{}</td></tr>', width, class_html(class_of(attributes) or "empty"), content
    )


# --- Search ----------------------------------------------------------------------------------------


@register.simple_block_tag(takes_context=True)
def search(
    context: Context,
    content: str,
    label: str,
    hint: str = "",
    name: str = "q",
    reset: str = "",
    keep: str = "",
    live: str = "",
    also: str = "",
) -> SafeString:
    """A search field and the filters that it encloses.

    `hint`: what the field finds; `name`: its parameter; `reset`: the view that shows everything again; `keep`: a
    parameter that stays, such as the order; `live`: the id of the part of the page that follows while somebody types;
    `also`: that of another one.
    """
    parameters = context["request"].GET
    values = {"label": label, "hint": hint or label, "name": name, "value": parameters.get(name, "")}
    values |= {
        "content": content,
        "reset": reset,
        "keep": keep,
        "kept": parameters.get(keep, ""),
        "live": live,
        "also": also,
    }
    return part(context, "search", values)


# --- Small parts (console.web.small_parts) ---------------------------------------------------------

register.simple_tag(copy)
register.simple_tag(filter_choice, takes_context=True)
register.simple_tag(filter_text, takes_context=True)
register.simple_tag(help)
register.simple_tag(help_of)
register.simple_tag(list_head, takes_context=True)
