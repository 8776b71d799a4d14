"""What is wrong with an input, beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an input: a code and its facts, the row and field it belongs to. str() is kn's English.

    `container`: the one that the field is about; empty for a field of the service.

    The words that people see are in console.web.words, by code.
    """

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    row: int | None = None
    field: str = ""
    container: str = ""

    def __str__(self) -> str:
        return _ENGLISH.get(self.code, self.code).format(**self.facts)


_ENGLISH = {
    "sum": "given traffic percents sum to {sum}, want 100",
    "percent-not-a-number": "{value!r} is not a whole number",
    "percent-range": "invalid value for traffic percent {value}, expected 0 <= percent <= 100",
    "tag-duplicate": "repetition of tag {tag!r} is not allowed, use only once",
    "tag-invalid": "tag {tag!r} is not a DNS 1035 label",
    "revision-unknown": "revision {revision!r} does not exist",
    "revision-foreign": "revision {revision!r} belongs to the service {owner!r}",
    "revision-needed": "a revision is required",
    "revisions-gone": "none of the revisions in the split exists any longer",
    "too-many-rows": "more than {limit} targets",
}
