"""Parse a quick-add text, such as `Pay rent tomorrow 9am #home @phone p1 every month`, into the fields of a task.

- `#project` (or `project:NAME`), `@tag` (or `+tag`, `tag:NAME`), `p1`-`p4` (or `!high !medium !low`, `!1`-`!3`,
  `priority:high`; p4 is none). A #, @ or + needs a letter, and #ff0000 is a colour. Quote names with spaces:
  `#"Home and garden"`.
- A date: `due:fri`, `due friday`, `by friday`, `on friday`, or as it stands, by the rules of `quick_add_dates`. The
  first one counts. A day and a time that stand apart are joined. With a `due:` all others are words of the title.
- `every …`, `daily … yearly`, `3 days after done` or `every:weekly`, by the rules of `quick_add_recurrence`. A time
  without a day belongs to the recurrence.
- `defer:mon` (`wait:`, `t:`), `scheduled:mon` (`sched:`), `parent:12` (`under:`), `after:7,9` (`depends:`, `dep:`).
- `remind:1h`, `remind:1h before`, `remind:tomorrow 9am`, several times; `remind:none` is no reminder.
- `assign:bob`, `assign:me` is the member who is to finish the task.
- A value behind a key is a promise: if it cannot be read, it is an error, or the error of the date or recurrence.
  `due:none` is no date.
- Of project, priority, parent, recurrence and each date the first counts. Later ones stay in the title.
- Words in "double quotes", and words behind a backslash (`\\#word`), are only title. The quotes go if they kept a
  word from being read, or contain a quote written \\"; otherwise they belong to the title.
- No text is lost: the title is all text outside of the tokens. If no title would be left, all of it is the title.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import NamedTuple

from todo_cli.parsing.date_words import end_of_run, is_day_word
from todo_cli.parsing.quick_add_dates import DateFinder, PhraseTester, find_longest_date, join_day_and_time
from todo_cli.parsing.quick_add_fields import (
    CLEARABLE_FIELDS,
    NO_PRIORITY,
    PHRASE_FIELDS,
    SET_FIELDS,
    FieldWord,
    parse_field_value,
    split_field,
)
from todo_cli.parsing.quick_add_lexer import PUNCTUATION, split_words
from todo_cli.parsing.quick_add_recurrence import MAX_RECURRENCE_WORDS, RecurrenceFinder
from todo_cli.parsing.quick_add_title import QuickAddToken, include_punctuation, join_title

_NONE = "none"


class QuickAdd(NamedTuple):
    """The fields that a text names. Dates and the recurrence are the user's words, which no time zone has read yet."""

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
    remind: tuple[str, ...] = ()
    assigned_to: str | None = None


class QuickAddReading(NamedTuple):
    """The result of a text with its tokens.

    cleared: the fields that the text empties (`due:none`, `p4`). refused: date vocabulary that is not one documented
    form and therefore stays in the title whole.
    """

    fields: QuickAdd
    tokens: tuple[QuickAddToken, ...]
    cleared: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def parse_quick_add(text: str, today: date | None = None) -> QuickAdd:
    """Return the fields that the text names and the title that is left. Raise Invalid for a key with a bad value."""
    return read_quick_add(text, today).fields


def read_quick_add(text: str, today: date | None = None, *, has_title: bool = True) -> QuickAddReading:
    """Read the text as `parse_quick_add` does, and return the places of all that is not title.

    today: the day that decides whether a weekday agrees with its date (`fri 4 dec`); by default the day in UTC.
    has_title: False if the text may consist of fields alone.
    """
    reader = _QuickAddReader(text, PhraseTester(today or datetime.now(UTC).date()))
    title = join_title(text, reader.tokens)
    refused = tuple(text[start:end] for start, end in sorted(set(reader.refused)))
    if not title and has_title:
        return QuickAddReading(QuickAdd(text.strip()), (), refused=refused)
    values = {name: value for name, value in reader.fields.items() if name != "status" and value is not None}
    cleared = tuple(name for name, value in reader.fields.items() if value is None)
    fields = QuickAdd(title, **values)  # type: ignore[arg-type]  # each reader returns the type of its field
    return QuickAddReading(fields, tuple(reader.tokens), cleared, refused)


class _QuickAddReader:
    """Reads one text in three passes: fields, then the recurrence, then dates as they stand."""

    def __init__(self, text: str, tester: PhraseTester) -> None:
        self._tester = tester
        self.fields: dict[str, object] = {}
        self._sets: dict[str, dict[object, None]] = {name: {} for name in SET_FIELDS}
        self.tokens: list[QuickAddToken] = []
        self.refused: list[tuple[int, int]] = []
        self._words = split_words(text)
        self._taken = [False] * len(self._words)
        self._blocked = [False] * len(self._words)  # words of refused phrases, which no later pass reads
        for place in range(len(self._words)):
            self._read_field(place)
        if "every" not in self.fields:
            self._read_recurrence()
        has_due_key = "due" in self.fields
        if not has_due_key:
            self._read_dates()
        if self._refuse_rule_behind_date() and not has_due_key:
            self._release("due")
            self._read_dates()
        self._move_time()
        self._drop_quotes()
        self.fields |= {name: tuple(values) for name, values in self._sets.items() if values}
        self.tokens = include_punctuation(text, sorted(self.tokens), self._words, self._taken)

    def _take(self, field: str, first: int, last: int, end: int) -> None:
        self.tokens.append(QuickAddToken(self._words[first].start, end, field))
        self._taken[first:last] = [True] * (last - first)

    def _refuse(self, first: int, last: int) -> None:
        self._blocked[first:last] = [True] * (last - first)
        self.refused.append((self._words[first].start, self._words[last - 1].end))

    def _read_field(self, place: int) -> None:
        word = self._words[place]
        named = None if self._taken[place] or word.literal else split_field(word)
        if not named or (named.field in self.fields and named.field not in SET_FIELDS):
            return
        core = named.value if word.value is not None else named.value.rstrip(PUNCTUATION)
        end = word.end - len(named.value) + len(core) if word.value is None else word.end
        if named.key and core.lower() == _NONE and named.field in CLEARABLE_FIELDS:
            self.fields[named.field] = None
            self._take(named.field, place, place + 1, end)
        elif named.field in PHRASE_FIELDS:
            self._read_phrase_field(place, named)
        elif (value := parse_field_value(named, core, word.value is not None)) is not None:
            if isinstance(value, tuple):
                self._sets[named.field] |= dict.fromkeys(value)
            else:
                self.fields[named.field] = None if value == NO_PRIORITY and named.field == "priority" else value
            self._take(named.field, place, place + 1, end)

    def _read_phrase_field(self, place: int, named: FieldWord) -> None:
        """Read a key whose value may be several words. A bad value is kept and later raises the error of its field."""
        word, value = self._words[place], named.value
        if word.value is not None:
            self._set_phrase(named.field, value)
            self._take(named.field, place, place + 1, word.end)
            return
        window = self._words[: place + MAX_RECURRENCE_WORDS]
        if named.field == "every":
            phrase = RecurrenceFinder(window, self._taken[: len(window)], self._tester).find_longest(place, value)
        elif named.field == "remind":
            from todo_cli.parsing.quick_add_reminders import find_reminder

            phrase = find_reminder(window, place, self._tester, value) if value else None
        else:
            phrase = find_longest_date(window, place, self._tester, value)
        if not value.rstrip(PUNCTUATION) and phrase is None:
            return  # `due: 300 euros` is not a field
        last, end = (phrase.last, phrase.end) if phrase else (place + 1, word.end)
        text = phrase.text if phrase else value.rstrip(PUNCTUATION)
        behind = end_of_run([word.core for word in window], last)
        is_date = phrase is None or phrase.kind != "lead"
        if is_date and value and behind > last and not self._words[last - 1].text.endswith(tuple(PUNCTUATION)):
            text, last, end = f"{text} {' '.join(w.text for w in window[last:behind])}", behind, window[behind - 1].end
        self._set_phrase(named.field, text)
        self._take(named.field, place, last, end)

    def _set_phrase(self, field: str, text: str) -> None:
        if field in SET_FIELDS:
            self._sets[field][text] = None
        else:
            self.fields[field] = text

    def _read_recurrence(self) -> None:
        finder = RecurrenceFinder(self._words, self._taken, self._tester)
        if phrase := finder.find():
            self.fields["every"] = phrase.text
            self._take("every", phrase.first, phrase.last, phrase.end)
        for first, last in finder.refused:
            self._refuse(first, last)

    def _read_dates(self) -> None:
        finder = DateFinder(self._words, self._taken, self._blocked, self._tester)
        phrases = finder.find_all()
        for first, last in finder.refused:
            self._refuse(first, last)
        if not phrases:
            return
        self.fields["due"], chosen = join_day_and_time(phrases, self._tester.is_date)
        for phrase in chosen:
            self._take("due", phrase.first, phrase.last, phrase.end)

    def _refuse_rule_behind_date(self) -> bool:
        """Take back a recurrence behind a date that was not read, as in `the friday every week`."""
        rule = next((token for token in self.tokens if token.field == "every"), None)
        first = next((place for place, word in enumerate(self._words) if rule and word.start == rule.start), 0)
        if not rule or not first or self._taken[first - 1] or split_field(self._words[first]):
            return False
        if not is_day_word(self._words[first - 1].core):
            return False
        last = next(place for place, word in enumerate(self._words) if word.end >= rule.end) + 1
        self._release("every")
        self._refuse(first - 1, last)
        return True

    def _release(self, field: str) -> None:
        """Give the words of a field back to the title."""
        for token in [token for token in self.tokens if token.field == field]:
            for place, word in enumerate(self._words):
                if token.start <= word.start < token.end:
                    self._taken[place] = False
            self.tokens.remove(token)
        self.fields.pop(field, None)

    def _move_time(self) -> None:
        """Give a time without a day to the recurrence."""
        due, every = self.fields.get("due"), self.fields.get("every")
        if isinstance(due, str) and isinstance(every, str):
            from todo_cli.parsing.recurrence import move_time_to_rule

            due, every = move_time_to_rule(due, every)
            self.fields |= {"every": every} | ({"due": due} if due else {})
            if due is None:
                del self.fields["due"]

    def _drop_quotes(self) -> None:
        """Remove quotes and backslashes that kept a word from being read."""
        for word in self._words:
            if word.drops and (word.inside is None or len(word.drops) > 2 or _has_fields(word.inside, self._tester)):
                self.tokens += [QuickAddToken(place, place + 1, "quotes") for place in word.drops]


def _has_fields(text: str, tester: PhraseTester) -> bool:
    from todo_cli.errors import Invalid

    try:
        return bool(_QuickAddReader(text, tester).tokens)
    except Invalid:
        return True
