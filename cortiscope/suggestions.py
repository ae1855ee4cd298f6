"""What a misspelt name may have meant."""

import difflib
from collections.abc import Iterable


def near(name: str, known: Iterable[str], count: int = 3) -> str:
    """The names nearest to `name`, for the remedy of an InputError; where none is, the first."""
    names = [candidate for candidate in known if candidate]
    close = difflib.get_close_matches(name, names, n=count, cutoff=0.4)
    return ", ".join(close or names[:count]) or "none"
