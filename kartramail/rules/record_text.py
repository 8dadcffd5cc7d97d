"""Text out of DNS, fit to be shown and kept: anybody can put anything there."""

LONGEST_KEPT = 4096
"""Characters of a record that are kept for its page; a sound one is far shorter."""


def shown(text: str, most: int = 60) -> str:
    """`text` on one line, invisible characters as U+FFFD, cut with an ellipsis to `most`."""
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    if cut.isprintable():
        return cut
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in cut)


def kept(text: str) -> str:
    """A whole record for its page and the database, which takes no NUL."""
    return shown(text, LONGEST_KEPT)
