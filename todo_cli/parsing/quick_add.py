"""Quick capture: `Pay rent tomorrow 9am #home @phone p1 every month` as the fields of a task. Pure, and never raises.

- `#project` (or `project:NAME`), `@tag` (or `tag:NAME`), `p1`-`p3` (or `!high !medium !low`, `!1`-`!3`,
  `priority:high`); a # or @ needs a letter, and #ff0000 is a colour. Names with spaces: `#"Home and garden"`.
- A date: `due:fri`, `due friday`, `by friday`, `on friday`, or as it stands, by the rules of capture_dates.py. The
  first one counts, and a day and a time that stand apart are joined; with a `due:` all others are words.
- `every …` and `3 days after done`, or `every:weekly` (a bare `weekly` is a word).
- `defer:mon` (`wait:`), `scheduled:mon`, `parent:12` (`under:`), `after:7,9` (waits for them).
- Of project, priority, parent, recurrence and each date the first counts; others like it stay in the title.
- Whatever stands in "double quotes", and a `\\#word`, is only title. The quotes go if they kept something from being
  read, or hold a quote written \\"; else they are the title's own.
- No text is lost: what is not in a token is in the title. If no title would be left, all of it is the title.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from todo_cli.parsing.quick_add_dates import Patience, Phrase, free_dates, is_date, longest
from todo_cli.parsing.quick_add_fields import COLOUR, named, value_of
from todo_cli.parsing.quick_add_lexer import ENDING, Word, quoted, words_in

_MARK = re.compile(r"[,.;:!](?:\s|$)")
MAX_RECURRENCE_WORDS = 14  # of a recurrence
# `every 5` of `every 5 servers`: the 5th of a month is only what is written so
_BARE_NUMBER = re.compile(r"(?i)(?:every ?!?|and|on|the|[,&]) ?[0-9]+$")
_DONE = ("done", "completion", "completed", "finished")


class QuickAdd(NamedTuple):
    """What a text says. Dates and the recurrence are the user's words, not yet read in a time zone."""

    title: str
    due: str | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    priority: int | None = None
    every: str | None = None
    defer: str | None = None
    scheduled: str | None = None
    parent: int | None = None
    after: tuple[int, ...] = ()


class QuickAddToken(NamedTuple):
    """A part of the text that is not title, from `start` to `end` (exclusive), and the field it gave, or `quotes`."""

    start: int
    end: int
    field: str


def parse_quick_add(text: str) -> QuickAdd:
    """The fields that the text names, and the title that is left."""
    return read(text)[0]


def read(text: str) -> tuple[QuickAdd, tuple[QuickAddToken, ...]]:
    """As `capture`, with the places of what is not in the title."""
    reading = _Reading(text)
    title = _title(text, reading.tokens)
    if not title:
        return QuickAdd(text.strip()), ()
    return QuickAdd(title, **reading.fields), tuple(reading.tokens)  # type: ignore[arg-type]  # each reader has its type


class _Reading:
    """The passes over one text: explicit tokens, then what recurs, then dates as they stand."""

    def __init__(self, text: str, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.fields: dict[str, object] = {}
        self.several: dict[str, dict[object, None]] = {"tags": {}, "after": {}}
        self.tokens: list[QuickAddToken] = []
        self.words = words_in(text)
        self.taken = [False] * len(self.words)
        for place in range(len(self.words)):
            self._explicit(place)
        if "every" not in self.fields:
            self._recurrence()
        if "due" not in self.fields:
            self._dates()
        self._quotes()
        self.fields |= {name: tuple(values) for name, values in self.several.items()}
        self.tokens = _with_marks(text, sorted(self.tokens), self.words, self.taken)

    def _take(self, field: str, first: int, last: int, end: int) -> None:
        self.tokens.append(QuickAddToken(self.words[first].start, end, field))
        self.taken[first:last] = [True] * (last - first)

    def _explicit(self, place: int) -> None:
        word = self.words[place]
        if self.taken[place] or word.literal:
            return
        field, value = named(word)
        if field in ("due", "defer", "scheduled", "every"):
            self._phrase(field, place, value)
            return
        core = value if word.value is not None else value.rstrip(ENDING)
        found = value_of(field, core, word.value is not None) if field else None
        if found is None or (field in self.fields and field not in ("tags", "after")):
            return
        if isinstance(found, tuple):
            self.several[field] |= dict.fromkeys(found)
        else:
            self.fields[field] = found
        self._take(field, place, place + 1, word.end - len(value) + len(core) if word.value is None else word.end)

    def _phrase(self, field: str, place: int, value: str) -> None:
        """A key whose value may be several words."""
        word, test = self.words[place], self.patience.recurs if field == "every" else self.patience.is_date
        if field in self.fields:
            return
        if word.value is not None:
            phrase = Phrase(place, place + 1, value, "", word.end) if test(value) else None
        elif field == "every":
            phrase = self._longest_recurrence(place, value)
        else:
            phrase = longest(self._open(place), place, self.patience, value)
        if phrase:
            self.fields[field] = phrase.text
            self._take(field, place, phrase.last, phrase.end)

    def _open(self, place: int) -> list[Word]:
        """The words up to the end of the longest phrase that can begin there."""
        return self.words[: place + MAX_RECURRENCE_WORDS]

    def _longest_recurrence(self, place: int, head: str | None = None) -> Phrase | None:
        last = place + 1 if self.patience.left > 0 else place
        while place < last < min(len(self.words), place + MAX_RECURRENCE_WORDS) and self._speaks(last):
            last += 1
        for stop in range(last, place, -1):
            texts = [word.text for word in self.words[place:stop]]
            text = " ".join(filter(None, texts if head is None else [head, *texts[1:]]))
            whole = text.rstrip(ENDING)
            if whole and (head or not _BARE_NUMBER.search(whole)) and self.patience.recurs(whole):
                return Phrase(place, stop, whole, "", self.words[stop - 1].end - len(text) + len(whole))
        return None

    def _speaks(self, place: int) -> bool:
        word = self.words[place]
        plain = not (self.taken[place] or word.literal or word.value is not None or len(word.text) > 30)
        return plain and word.text.isascii() and not named(word)[0]

    def _recurrence(self) -> None:
        for place, word in enumerate(self.words):
            if not self._speaks(place):
                continue
            every = word.text.lower() in ("every", "every!")
            if not (every or self._after_done(place)):
                continue
            phrase = self._longest_recurrence(place)
            if phrase and (every or " after " in phrase.text.lower()):
                self.fields["every"] = phrase.text
                self._take("every", place, phrase.last, phrase.end)
                return

    def _after_done(self, place: int) -> bool:
        """Whether `3 days after done` or `3d after done` begins there."""
        near = [word.text.lower().rstrip(ENDING) for word in self.words[place : place + 4] if len(word.text) < 30]
        return any(one == "after" and two in _DONE for one, two in pairwise(near[1:]))

    def _dates(self) -> None:
        found = free_dates(self.words, self.taken, self.patience)
        if not found:
            return
        chosen = found[:1]
        wanted = {"day": "time", "time": "day"}.get(found[0].kind)
        if other := next((phrase for phrase in found[1:] if phrase.kind == wanted), None):
            day, clock = (found[0], other) if wanted == "time" else (other, found[0])
            if is_date(f"{day.text} {clock.text}"):
                chosen, self.fields["due"] = [found[0], other], f"{day.text} {clock.text}"
        self.fields.setdefault("due", found[0].text)
        for phrase in chosen:
            self._take("due", phrase.first, phrase.last, phrase.end)

    def _quotes(self) -> None:
        """Quotes and backslashes go where they kept something from being read."""
        for word in self.words:
            if word.drops and (
                word.inside is None or len(word.drops) > 2 or _Reading(word.inside, self.patience).tokens
            ):
                self.tokens += [QuickAddToken(place, place + 1, "quotes") for place in word.drops]


def _with_marks(text: str, tokens: list[QuickAddToken], words: list[Word], taken: list[bool]) -> list[QuickAddToken]:
    """`Tomorrow, call`, `Buy milk @shop, today`: a mark behind a token at either end of the title goes with it."""
    left = [word for word, gone in zip(words, taken, strict=True) if not gone]
    first, last = (left[0].start, left[-1].end) if left else (len(text), 0)

    def goes(token: QuickAddToken) -> bool:
        mark = text[token.end : token.end + 1]
        at_start, at_end = token.end < first, token.start >= last
        return bool(mark) and token.field != "quotes" and mark in (ENDING if at_start else ",;:" if at_end else "")

    return [token._replace(end=token.end + 1) if goes(token) else token for token in tokens]


def _title(text: str, tokens: list[QuickAddToken]) -> str:
    """The text without its tokens, one space where each stood, none before a comma; quotes leave no gap."""
    parts: list[str] = []
    pieces: list[str] = []
    at = 0
    for token in [*tokens, QuickAddToken(len(text), len(text), "")]:
        pieces.append(text[at : token.start])
        at = token.end
        if token.field != "quotes" and (part := "".join(pieces).strip()):
            parts.append(part if not parts or _MARK.match(part) else f" {part}")
        pieces = pieces if token.field == "quotes" else []
    return "".join(parts)


def format_quick_add(captured: QuickAdd) -> str:
    """A text that `capture` reads as these fields again."""
    dates = [(name, getattr(captured, name)) for name in ("due", "defer", "scheduled", "every")]
    tail = [f"{name}:{_shown(value, r'[A-Za-z0-9-]+')}" for name, value in dates if value is not None]
    if captured.project is not None:
        tail.append("#" + _shown(captured.project, r"[A-Za-z][A-Za-z0-9_/-]*"))
    tail += ["@" + _shown(tag, r"[A-Za-z][A-Za-z0-9_/-]*") for tag in captured.tags]
    if captured.priority is not None:
        tail.append(f"p{captured.priority}")
    if captured.parent is not None:
        tail.append(f"parent:{captured.parent}")
    if captured.after:
        tail.append(f"after:{','.join(map(str, captured.after))}")
    plain = " ".join([captured.title, *tail])
    return plain if parse_quick_add(plain) == captured else " ".join([quoted(captured.title), *tail])


def _shown(value: str, simple: str) -> str:
    return value if re.fullmatch(simple, value) and not COLOUR.fullmatch(value) else quoted(value)
