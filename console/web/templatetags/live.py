"""The parts of a page that follow what happens: a live region, and the pieces of it that change by themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.template import Context, Library, Node, NodeList
from django.template.base import Parser, Token
from django.utils.safestring import SafeString

from console.web import regions
from console.web.regions import REGION, Region
from console.web.templatetags.components import Arguments, arguments, enclosed, part, resolved

register = Library()


@register.tag
def live_region(parser: Parser, token: Token) -> Node:
    """A part of a page that is sent, or fetched again, when its topic changes (static/js/live.js); "": it is not.

    `validator` (console/web/validators.py): it is not sent, nor swapped, where that is the same. `alone`: how often it
    looks for itself, in seconds, while nothing tells it of changes.
    """
    given = arguments(parser, token, "id", "topic", "throttle", "validator", "class", "alone")
    return LiveRegionNode(given, enclosed(parser, "endlive_region"))


@dataclass(eq=False)
class LiveRegionNode(Node):
    given: Arguments
    nodelist: NodeList

    def render(self, context: Context) -> SafeString:
        values = {name: resolved(self.given, name, context) for name in ("id", "topic", "alone")}
        validator = resolved(self.given, "validator", context)
        region = regions.rendered(self.nodelist, context)
        is_part = str(values["topic"]).startswith("part:")  # also one without pieces yet: a list that is empty
        values |= {
            "throttle": resolved(self.given, "throttle", context) or "500ms",
            "css": resolved(self.given, "class", context),
            "validator": json.dumps({"If-None-Match": validator}) if validator else "",
            "version": region.versions[""] if region.pieces or is_part else "",
            "content": region.html,
        }
        return part(context, "live_region", values)


@register.tag
def piece(parser: Parser, token: Token) -> Node:
    """`{% piece "pods" %}<section>…</section>{% endpiece %}`: one element of a live region that is sent by itself."""
    return PieceNode(arguments(parser, token, "name"), enclosed(parser, "endpiece"))


@dataclass(eq=False)
class PieceNode(Node):
    given: Arguments
    nodelist: NodeList

    def render(self, context: Context) -> SafeString:
        region: Region | None = context.get(REGION)
        with context.push(**{REGION: None}):  # a piece within a piece is sent with it
            html = self.nodelist.render(context)
        return region.take(str(resolved(self.given, "name", context)), html) if region else html
