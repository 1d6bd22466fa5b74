"""Texts that strangers send, before a database sees them."""


def is_storable(text: str) -> bool:
    """Whether every database takes it: without NUL, which PostgreSQL keeps nowhere, and without half a character (a
    lone surrogate, which JSON can spell and UTF-8 cannot)."""
    return "\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text)
