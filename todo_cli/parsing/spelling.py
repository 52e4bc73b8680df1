"""Compare the spelling of words."""

from __future__ import annotations

MAX_FUZZY_WORD_CHARS = 24  # a typo is forgiven in words of up to this length


def is_one_letter_apart(first: str, second: str) -> bool:
    """Return whether the words differ by one wrong, missing, extra or transposed letter."""
    lengths = len(first), len(second)
    if first == second or not 4 <= max(lengths) <= MAX_FUZZY_WORD_CHARS or min(lengths) < 3:
        return False
    short, long = sorted((first, second), key=len)
    if len(long) - len(short) > 1 or first.isdigit() or second.isdigit():
        return False
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(long) > len(short):
        return short[start:] == long[start + 1 :]
    transposed = long[start + 1 : start + 2] + long[start : start + 1] + long[start + 2 :]
    return short[start + 1 :] == long[start + 1 :] or short[start:] == transposed
