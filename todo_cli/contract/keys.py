"""The rules of idempotency keys and of fences, which travel beside a request: the same for every way in."""

from collections.abc import Iterable

from todo_cli.contract.limits import MAX_FENCES, MAX_INTEGER, MAX_KEY_CHARS
from todo_cli.errors import Invalid


def check_key(key: str) -> None:
    """Raise Invalid for a key that is empty, too long or has a character that cannot be printed."""
    if not (1 <= len(key) <= MAX_KEY_CHARS and key.isprintable()):
        raise Invalid(f"an idempotency key has 1 to {MAX_KEY_CHARS} printable characters", hint="choose another key")


def parse_fences(words: Iterable[str]) -> tuple[int, ...]:
    """Return the numbers of `41`, `41,45` or `41 45`; raises Invalid for other words, and for none."""
    texts = [text for word in words for text in word.replace(",", " ").split()]
    numbers = tuple(int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 20)
    if not 0 < len(numbers) == len(texts) <= MAX_FENCES or not all(0 < number <= MAX_INTEGER for number in numbers):
        raise Invalid(
            f"a fence is the number that a claim returned, and there are at most {MAX_FENCES}",
            hint="see your claims with: todo claims --mine",
        )
    return numbers
