"""Find the part to complete in a filter or in a title: behind #, @ and :, behind a field, a number."""

from __future__ import annotations

from todo_cli.cli.completion.kinds import NOTHING, WordPart, split_numbers

_FIELD_KINDS = {
    "project": "project",
    "tag": "tag",
    "assigned": "member",
    "parent": "task:open",
    "after": "task:open",
    "discovered": "task:open",
    "due": "date",
    "defer": "date",
    "scheduled": "date",
    "created": "date",
    "updated": "date",
    "done": "date",
    "priority": "=1|2|3|none",
}
_SIGNS = {"#": "project", "@": "tag", "+": "tag"}
_TITLE_KEYS = {
    "due": "due",
    "defer": "defer",
    "wait": "defer",
    "scheduled": "scheduled",
    "project": "project",
    "tag": "tag",
    "priority": "priority",
    "parent": "parent",
    "after": "after",
}


def split_title(text: str) -> WordPart:
    """Return the part of a title: only what quick add reads as a field is completed."""
    head, word = _last_word(text)
    key, colon, value = word.partition(":")
    if word[:1] in _SIGNS:
        return WordPart(_SIGNS[word[0]], head + word[0], word[1:], is_quotable=True)
    if colon and key in _TITLE_KEYS:
        return _split_field(_TITLE_KEYS[key], head + key + colon, value)
    if word[:1] in ("p", "!") and len(word) < 3:
        return WordPart("=p1|p2|p3" if word[0] == "p" else "=!high|!medium|!low", head, word)
    return WordPart(NOTHING, text, "")


def split_filter(kind: str, text: str) -> WordPart:
    """Return the part of a filter, or of `tasks:open`: numbers or a filter."""
    tasks = f"task:{kind.partition(':')[2] or 'open'}"
    head, word = _last_word(text)
    while word[:1] in ("-", "!", "("):
        head, word = head + word[0], word[1:]
    if word.lstrip("#")[:1].isdigit():
        part = split_numbers(tasks, word)
        return part._replace(head=head + part.head)
    if word[:1] in _SIGNS:
        return WordPart(_SIGNS[word[0]], head + word[0], word[1:], is_quotable=True)
    if word[:1] == ":":
        return WordPart("view", head + ":", word[1:])
    for place, character in enumerate(word):
        if character in ":<>=":
            end = place + 2 if word[place + 1 : place + 2] == "=" else place + 1
            return _split_field(_find_field(word[:place]), head + word[:end], word[end:])
    return WordPart(tasks if kind.startswith("tasks:") and not word else "fields", head, word)


def _find_field(name: str) -> str:
    from todo_cli.parsing.filter_vocabulary import FIELD_ALIASES

    return FIELD_ALIASES.get(name.lower(), name.lower())


def _split_field(field: str, head: str, value: str) -> WordPart:
    """Return the part of a field's value."""
    kind = _FIELD_KINDS.get(field, NOTHING)
    if field in ("status", "is", "has"):
        from todo_cli.parsing.filter_vocabulary import CHOICES

        kind = f"={'|'.join(CHOICES[field])}"
    if kind.startswith("task:"):
        part = split_numbers(kind, value)
        return part._replace(head=head + part.head)
    if kind.startswith("="):
        before, comma, last = value.rpartition(",")
        return WordPart(kind, head + before + comma, last)
    if kind in ("project", "tag"):
        sign = "#" if kind == "project" else "@"
        if value.startswith(sign):
            head, value = head + sign, value[1:]
        return WordPart(kind, head, value.lstrip("\"'"), is_quotable=True)
    return WordPart(kind, head, value)


def _last_word(text: str) -> tuple[str, str]:
    """Return the text before the last word, and the word without a quote that is open behind its sign or field.

    Blanks between quotes belong to the word.
    """
    start, quote, opening = 0, "", 0
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (place == start or text[place - 1] in ":#@+<>="):
            quote, opening = character, place
        elif character.isspace() or character in "()":
            start = place + 1
    if quote and opening > start:
        return text[:start], text[start:opening] + text[opening + 1 :]
    return text[:start], text[start:]
