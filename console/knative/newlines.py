"""Line ends, as browsers and people mean them."""


def plain(text: str) -> str:
    """Return the text with `\\n` for every line end: a browser sends `\\r\\n` whatever was typed or shown."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
