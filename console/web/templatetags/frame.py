"""What the frame of every page has alike for everybody."""

from dataclasses import dataclass

from django.core.files.storage import storages
from django.template import Context, Library, Node, NodeList
from django.template.base import Parser, Token
from django.utils.safestring import SafeString, mark_safe

from console.web.joined_files import SCRIPTS, SHEETS, Joined, JoiningStorage

register = Library()

NONCE = "\0nonce\0"  # in place of a request's nonce in what is kept


@register.simple_tag
def style_sheets() -> tuple[str, ...]:
    return _named(SHEETS)


@register.simple_tag
def scripts() -> tuple[str, ...]:
    return _named(SCRIPTS)


def _named(joined: Joined) -> tuple[str, ...]:
    """What pages name: the joined file, or each where static files are as they are on disk."""
    return (joined.path,) if isinstance(storages["staticfiles"], JoiningStorage) else joined.parts


@register.tag
def same_for_all(parser: Parser, _token: Token) -> Node:
    """`{% same_for_all %}…{% endsame_for_all %}`: rendered once by a process, for all pages, people and languages.

    Nothing of a request may be between but its nonce: scripts and style sheets, which took a tenth of a page's time.
    """
    nodelist = parser.parse(("endsame_for_all",))
    parser.delete_first_token()
    return SameForAllNode(nodelist)


@dataclass(eq=False)
class SameForAllNode(Node):
    nodelist: NodeList
    kept: str = ""

    def render(self, context: Context) -> SafeString:
        nonce = str(getattr(context.get("request"), "csp_nonce", ""))
        if not nonce:  # an error page that is rendered without a request
            return self.nodelist.render(context)
        if not self.kept:
            self.kept = self.nodelist.render(context).replace(nonce, NONCE)
        return mark_safe(self.kept.replace(NONCE, nonce))  # noqa: S308  the template has escaped it
