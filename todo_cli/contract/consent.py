"""What a person asked for, as far as a turn of the chat may do it without approval."""

from msgspec import Struct


class Consent(Struct, frozen=True, kw_only=True):
    """The tasks that the person asked to change. By default these are none.

    `numbers` are tasks that the person named by number or by reference, `words` the person's words and their stems,
    `titles` the tasks that they may mean, and `touched` the tasks that the turn has changed already.
    """

    numbers: frozenset[int] = frozenset()
    words: frozenset[str] = frozenset()
    titles: dict[int, str] = {}
    touched: frozenset[int] = frozenset()
