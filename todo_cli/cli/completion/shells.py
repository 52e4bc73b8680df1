"""The words of a command line as each shell gives them, and the answer as its script reads it.

bash gives the line, of which it replaces the end: the `word` that it would complete. The answer is quoted for the line.
zsh and fish give the words and quote the answer themselves; fish gives the last word as it was typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from todo_cli.cli.completion.kinds import Offer

_PLAIN = "_./:=@%+,-"
"""Characters that need no quotes in a word of bash, besides letters and digits."""
_REDIRECTIONS = (">", ">>", "<", "2>", "2>>", "&>")


class TypedLine(NamedTuple):
    """The words behind the program, and the one that is typed, without their quotes.

    For bash: the quote that is open in the typed word, and the beginning of the word that bash keeps.
    """

    shell: str
    words: Sequence[str]
    typed: str
    quote: str = ""
    kept: str = ""

    @property
    def is_redirected(self) -> bool:
        """Whether the typed word is the name of a file that the command reads or writes."""
        return bool(self.words) and self.words[-1] in _REDIRECTIONS


def read_line(shell: str, arguments: Sequence[str]) -> TypedLine:
    """Return the command line that a shell's script passes."""
    if shell == "bash":
        line, word = arguments[0], arguments[1]
        words, typed, quote = split_words(line)
        kept = typed
        if typed.endswith(bare := _remove_quotes(word, quote)):
            kept = typed[: len(typed) - len(bare)]
        return TypedLine(shell, words[1:], typed, quote, kept)
    *before, typed = arguments
    return TypedLine(shell, before, _remove_quotes(typed) if shell == "fish" else typed)


def split_words(line: str) -> tuple[list[str], str, str]:
    """Return the words before the last one, the last one, and the quote that is open in it; all without quotes."""
    words: list[str] = []
    word: str | None = None
    quote, is_escaped = "", False
    for character in line:
        if is_escaped:
            is_escaped = False
            word = (word or "") + (f"\\{character}" if quote == '"' and character not in '\\"$`' else character)
        elif character == "\\" and quote != "'":
            is_escaped = True
        elif character in "\"'" and quote in ("", character):
            quote, word = "" if quote else character, word or ""
        elif character.isspace() and not quote:
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + character
    return words, word or "", quote


def _remove_quotes(text: str, quote: str = "") -> str:
    """Return the text of a word that stands behind this open quote."""
    return split_words(quote + text)[1]


def format_offers(line: TypedLine, offers: Iterable[Offer] | None) -> str:
    """Return a line for each word, and the line `files` for names of files."""
    if offers is None:
        return "\tfiles\n"
    shown = [offer for offer in offers if offer.value.isprintable()]
    if line.shell == "bash":
        shown = [offer._replace(value=_quote_for_bash(offer.value, line)) for offer in shown]
    return "".join(f"{value}\t{_make_plain(about)}\n" for value, about in dict.fromkeys(shown))


def _quote_for_bash(value: str, line: TypedLine) -> str:
    """Return what bash puts in place of the end of the line: the word without the part that it keeps."""
    rest = value[len(line.kept) :]
    if line.quote == "'":
        return rest.replace("'", "'\\''")
    if line.quote == '"':
        return "".join(f"\\{character}" if character in '\\"$`' else character for character in rest)
    quoted = "".join(
        character if character.isalnum() or character in _PLAIN or character in "#~" else f"\\{character}"
        for character in rest
    )
    return f"\\{quoted}" if not line.kept and quoted[:1] in ("#", "~") else quoted


def _make_plain(text: str) -> str:
    """Return a text on one line without characters that a terminal obeys."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
