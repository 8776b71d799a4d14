"""Reading pages and exports as an auditor does: tables by their headings, CSV by its columns, JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.test.html import Element, parse_html

from tests.audit.month.month import Month

Row = dict[str, str]


@dataclass
class Auditor:
    """Somebody who only looks: what cannot be read in the console is not known to them."""

    client: Client

    @classmethod
    def named(cls, month: Month, who: str) -> Auditor:
        client = Client(REMOTE_ADDR="198.51.100.9")
        client.force_login(month.people.users[who])
        return cls(client)

    def page(self, address: str, **query: str) -> Element:
        """The page as a tree."""
        answer = self.client.get(address, query)
        assert answer.status_code == 200, (address, query, answer.status_code)
        return parse_html(answer.content.decode().replace("<wbr>", ""))

    def rows(self, address: str, table: int = 0, **query: str) -> list[Row]:
        """The rows of a table of the page, by the words of its headings."""
        found = list(inside(self.page(address, **query), "table"))[table]
        heading, *rows = inside(found, "tr")
        names = [text(cell) for cell in inside(heading, "th")]
        return [dict(zip(names, map(text, inside(row, "th", "td")), strict=False)) for row in rows]

    def text(self, address: str, **query: str) -> str:
        return text(self.page(address, **query))

    def export(self, address: str, *, posts: bool = False, **query: str) -> str:
        """A file that the console gives out."""
        answer = self.client.post(address, query_params=query) if posts else self.client.get(address, query)
        assert answer.status_code == 200, (address, query, answer.status_code)
        return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()

    def csv(self, address: str, **more: Any) -> list[Row]:
        return list(csv.DictReader(io.StringIO(self.export(address, **more).removeprefix("\ufeff"))))

    def lines(self, address: str, **more: Any) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.export(address, **more).splitlines()]


def inside(node: Element, *names: str) -> Iterator[Element]:
    """The elements of these names in the node, in their order, those in others of them left out."""
    for child in node.children:
        if isinstance(child, Element):
            yield from [child] if child.name in names else inside(child, *names)


def text(node: Element | str) -> str:
    """The words of a node as people read them."""
    if isinstance(node, str):
        return " ".join(node.split())
    if node.name in ("script", "style", "svg", "template"):
        return ""
    return " ".join(filter(None, map(text, node.children)))
