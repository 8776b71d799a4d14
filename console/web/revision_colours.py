"""The colour of a revision: the same in every bar, table, chart and log, because it follows from the name alone."""

import re
from zlib import crc32

COLOURS = 8  # as many as static/css/colours.css has
_GENERATION = re.compile(r"-(\d{5,})$")  # how Knative names a revision: hello-00003 (kmeta.ChildName)


def colour_of(revision: str) -> str:
    """Return the CSS class `rev-0` to `rev-7`.

    The generation in the name makes neighbours differ. The label with the generation would say the same, but what
    draws a split has only names. A name that a person chose has no generation; its checksum counts.
    """
    generation = _GENERATION.search(revision)
    number = int(generation[1]) if generation else crc32(revision.encode())
    return f"rev-{number % COLOURS}"
