"""A live region as text: what it says around its pieces, and each piece, with a version that the browser compares.

Pages and the hub render the same templates through this, so that a piece that is pushed is the one that a page shows.
"""

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache

from django.template import Context, Template
from django.template.base import NodeList
from django.utils.safestring import SafeString, mark_safe

REGION = "live_region_pieces"  # where the tag `piece` finds it in the context
VERSION_BYTES = 6
MAX_MARKED = 500  # pieces, some 2 kB each: rows that are kept rendered are not read again to compare them
TOKEN = "-"  # noqa: S105  in place of a token of one person's session; the browser puts in its own (static/js/live-parts.js)

_NAME = re.compile(r"[\w.-]+", re.ASCII)
_MARK = re.compile(r"<!--piece:([\w.-]+)-->", re.ASCII)
# What differs between two people, or a moment later, and says nothing new: a form's token, and the text of an age.
_OF_REQUEST = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*|(<time [^>]*>)[^<]*')
_ROOT = re.compile(r"""<[a-z0-9]+(?:[^>"']|"[^"]*"|'[^']*')*""")  # a start tag without its end


@dataclass(slots=True)
class Region:
    """`skeleton` has a mark where each piece belongs."""

    skeleton: str = ""
    pieces: dict[str, str] = field(default_factory=dict)
    _versions: dict[str, str] = field(default_factory=dict)

    @property
    def versions(self) -> dict[str, str]:
        """The version of each piece by its name, and by the empty name that of what is around them."""
        return {"": version(self.skeleton), **self._versions}

    @property
    def html(self) -> SafeString:
        return mark_safe(_MARK.sub(lambda mark: self.pieces[mark[1]], self.skeleton))  # noqa: S308  rendered by templates

    def take(self, name: str, html: SafeString) -> SafeString:
        """Keep a piece; returns the mark in its place.

        Names come from clusters (UIDs): what cannot be told apart by its name stays part of what is around it.
        """
        if name in self.pieces or not _NAME.fullmatch(name):
            return html
        self.pieces[name], self._versions[name] = _marked(name, html)
        return mark_safe(f"<!--piece:{name}-->")  # noqa: S308  a plain name


def rendered(what: Template | NodeList, context: Context) -> Region:
    """Render the content of a region, and keep its pieces apart."""
    region = Region()
    with context.push(**{REGION: region}):
        region.skeleton = what.render(context)
    return region


@lru_cache(maxsize=MAX_MARKED)
def _marked(name: str, html: str) -> tuple[str, str]:
    """Return the one element of a piece with its name and version, by which the browser finds it; and the version."""
    html, is_now = html.strip(), version(html)
    start = f' data-piece="{name}" data-version="{is_now}"'
    return _ROOT.sub(lambda root: root[0] + start, html, count=1), is_now


def version(html: str) -> str:
    """Return a digest that is equal for two people to whom the HTML says the same."""
    same = _OF_REQUEST.sub(lambda found: found[1] or found[2], html)
    return hashlib.blake2b(same.encode(), digest_size=VERSION_BYTES).hexdigest()
