"""Reading a page as a person or a browser does: its text, and what a strict policy would refuse."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """The text of a page without its markup, and its inline scripts, styles and event handlers."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.inline: list[str] = []
        self.links: list[str] = []
        self.posts: list[str] = []  # where its forms and buttons send to
        self._in = ""
        self._continues = False  # what comes belongs to the same word: <wbr> is no space
        self.feed(markup)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self._continues = tag == "wbr"
        if self._continues:
            return
        self._in = tag
        self.inline += [f"<{tag} {name}>" for name in names if name == "style" or name.startswith("on")]
        self.inline += [f"<{tag}>"] if tag == "style" or (tag == "script" and "src" not in names) else []
        self.inline += [f"<{tag} {name}> without a nonce" for name in names if name.startswith("hx-")
                        and "hx-nonce" not in names]  # fmt: skip
        if tag == "a":
            self.links.append(names.get("href") or "")
        if tag == "form" and names.get("method") == "post":
            self.posts.append(names.get("action") or "")
        if names.get("formaction"):
            self.posts.append(names["formaction"] or "")

    def handle_data(self, data: str) -> None:
        if self._in in ("script", "style"):
            return
        if self._continues and self.words:
            data = self.words.pop() + data
        self._continues = False
        self.words.append(data)


def read(response) -> Page:
    return Page(response.content.decode())


def markup(response) -> str:
    """The page's markup with each word in one piece: where a word may continue on another line there is a <wbr>."""
    return str(response.content.decode().replace("<wbr>", ""))
