"""Text that outsiders chose, made fit to be kept and shown."""

LONGEST = 80
"""Characters. Asterisk keeps a number, a name and an extension in 80 bytes."""


def plain(text: str) -> str:
    """One line of at most 80 characters; whatever cannot be printed shows as a replacement character."""
    if len(text) <= LONGEST and text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:LONGEST])
