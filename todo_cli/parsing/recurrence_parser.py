"""Parse the words of a recurrence into a rule.

`[every] [N] UNIT [on DAYS]`, `[every] DAYS` or `daily … annually`, followed by clauses in any order:
`at 9am`, `until DATE`, `for 10 times`, `starting DATE`, `after done`, `weeks start sunday`.
"""

from __future__ import annotations

import re
from datetime import date, time

from todo_cli.parsing.date_forms import PARTS, TIMES, find_form
from todo_cli.parsing.date_vocabulary import DAY_PARTS, MONTHS, NUMBERS, ORDINALS, WEEKDAYS, any_of
from todo_cli.parsing.recurrence_days import parse_days, parse_ordinal
from todo_cli.parsing.rrule import MAX_COUNT, MAX_INTERVAL, RecurrenceRule

_UNIT_ROWS = {
    "hour hours hr hrs h": ("HOURLY", 1),
    "day days d": ("DAILY", 1),
    "week weeks wk wks w": ("WEEKLY", 1),
    "fortnight fortnights": ("WEEKLY", 2),
    "month months mo mos": ("MONTHLY", 1),
    "quarter quarters q": ("MONTHLY", 3),
    "year years yr yrs y": ("YEARLY", 1),
}
UNITS = {word: frequency for row, frequency in _UNIT_ROWS.items() for word in row.split()}
SHORTER_UNITS = ("min", "mins", "minute", "minutes", "second", "seconds")
ADVERBS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "biweekly": "2 weeks",
    "bi-weekly": "2 weeks",
    "fortnightly": "2 weeks",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
    "weekdays": "weekday",
}
_DONE = r"after (?:it is |it's |its )?(?:done|completion|completed|completing|finished)"
_CLAUSES = (
    ("until", r"(?:until|till|ending)(?: on)? "),
    ("start", r"(?:starting|beginning|from)(?: on)? "),
    ("times", r"(?=[0-9]+ times)"),
    ("done", rf"(?={_DONE})"),
    ("at", r"(?:at|by) "),
    ("week", r"\(?weeks start(?: on)? "),
)
_CLAUSE_STARTS = re.compile(" (?=" + "|".join(f"(?:{pattern})" for _, pattern in _CLAUSES) + ")")
_PART = re.compile(rf"(?P<rest>.*?) ?\b(?:in the |at )?(?P<part>{any_of(DAY_PARTS)})")
_ANY_DAY = date(2000, 1, 1)
WORDS = frozenset({
    *UNITS, *ADVERBS, *DAY_PARTS, *ORDINALS, *WEEKDAYS, *(f"{day}s" for day in WEEKDAYS), *MONTHS, *NUMBERS,
    "other", "weekday", "workday", "weekend", "until", "starting", "times",
})  # fmt: skip  # a word list
_INTERVAL = re.compile(r"(?:(?P<n>other|[0-9]+(?:st|nd|rd|th)?|[a-z]+) ?)??(?P<unit>[a-z]+)(?: on (?P<on>.+))?")


def split_clauses(words: str) -> dict[str, str]:
    """Split the phrase into `rule` and those of `at until times start done week` that it has. Raise ValueError."""
    text = " ".join(words.lower().replace(",", ", ").split()).replace(" ,", ",")
    text = re.sub(" for (?=[0-9]+ times)", " ", text)
    text = re.sub(r"(and|,|&) every ", r"\1 ", text)
    text = re.sub("^(every ?!|each|every) ?", lambda match: "! " if "!" in match[0] else "", text)
    rule, *rest = _CLAUSE_STARTS.split(" " + text)
    clauses = {"rule": rule.strip()}
    if clauses["rule"].startswith("!"):
        clauses |= {"rule": clauses["rule"][1:].strip(), "done": "!"}
    for clause in rest:
        name, pattern = next((row for row in _CLAUSES if re.match(row[1], clause)), ("", ""))
        if not name:
            raise ValueError(f"{clause[:30]!r} is not understood")
        if name in clauses and clauses[name] != "!":
            raise ValueError(f"{clause[:30]!r} repeats an earlier part")
        clauses[name] = re.sub(f"^{pattern}", "", clause).strip()
    if not re.fullmatch(f"!|{_DONE}", clauses.get("done", "!")):
        raise ValueError(f"{clauses['done'][:40]!r} is not understood")
    return clauses


def parse_rule(words: str, at: str = "", times: str = "", week: str = "") -> RecurrenceRule:
    """Return the rule of the words without `every`, with its time of day, count and weeks. Raise ValueError."""
    words, clocks = _split_clocks(words, at)
    rule = _parse_base(words)
    if clocks:
        rule = set_clocks(rule, clocks)
    if times:
        match = re.fullmatch("([0-9]{1,5}) times", times)
        if not match or not 1 <= int(match[1]) <= MAX_COUNT:
            raise ValueError(f"{times[:30]!r} must be 1 to {MAX_COUNT} times")
        rule = rule._replace(times=int(match[1]))
    return _set_week_start(rule, week) if week else rule


def _set_week_start(rule: RecurrenceRule, day: str) -> RecurrenceRule:
    if rule.freq != "WEEKLY" or day.rstrip(")") not in WEEKDAYS:
        raise ValueError("`weeks start` needs a rule that counts weeks, and a weekday")
    return rule._replace(week_start=WEEKDAYS[day.rstrip(")")])


def set_clocks(rule: RecurrenceRule, clocks: list[time]) -> RecurrenceRule:
    """Return the rule at these times of the day. Raise ValueError if one rule cannot have them."""
    if rule.freq == "HOURLY":
        raise ValueError("a rule that counts hours has no time of day; write: starting 9am")
    if len({(clock.minute, clock.second) for clock in clocks}) > 1:
        raise ValueError("several times of one rule must have the same minute")
    first = clocks[0]
    hours = tuple(sorted({clock.hour for clock in clocks}))
    seconds = (first.second,) if first.second else ()
    return rule._replace(hours=hours, minutes=(first.minute,), seconds=seconds)


def _split_clocks(words: str, at: str) -> tuple[str, list[time]]:
    """Return the words without the times at their end, and those times."""
    if at:
        if match := _PART.fullmatch(words):  # every night at 2am
            words = match["rest"].strip() or "day"
        return words, [parse_clock(item) for item in re.split(r" ?(?:,|&| and ) ?(?:at )?", at)]
    if match := _PART.fullmatch(words):
        rest = match["rest"].strip().rstrip(",")
        return {"": "day", "other": "other day"}.get(rest, rest), [DAY_PARTS[match["part"]]]
    parts = words.split()
    for length in (1, 2):
        read = find_form(TIMES, " ".join(parts[-length:]), _ANY_DAY) if len(parts) > length else None
        if read:
            return " ".join(parts[:-length]).rstrip(","), [read()]
    return words, []


def parse_clock(text: str) -> time:
    """Return the time of day that the text names, with or without `at`. Raise ValueError."""
    read = find_form(TIMES, text, _ANY_DAY) or find_form(TIMES, f"at {text}", _ANY_DAY)
    read = read or find_form(PARTS, text, _ANY_DAY)
    if not read:
        raise ValueError(f"{text[:30]!r} is not a time")
    return read()


def _parse_base(words: str) -> RecurrenceRule:
    first, _, rest = words.partition(" ")
    words = f"{ADVERBS[first]} {rest}".strip() if first in ADVERBS else words
    if rule := _parse_interval(words):
        return rule
    interval, words = (2, words.removeprefix("other ")) if words.startswith("other ") else (1, words)
    rule = parse_days(words)
    if interval == 2 and rule.freq != "WEEKLY":
        raise ValueError("other needs a unit or weekdays: every other month on the 15th")
    return rule._replace(interval=interval)


def _parse_interval(words: str) -> RecurrenceRule | None:
    """Parse `3 days`, `3rd day`, `other week` or `month on the 15th`."""
    match = _INTERVAL.fullmatch(words)
    if not match:
        return None
    number, unit = _parse_number(match["n"]), match["unit"]
    if unit in SHORTER_UNITS:
        raise ValueError("a task recurs hourly at most")
    is_interval = unit in UNITS and number is not None and (match["n"] or len(unit) > 2)
    if not is_interval or number is None:
        return None
    freq, length = UNITS[unit]
    return _restrict_days(RecurrenceRule(freq, _check_interval(number * length)), match["on"])


def _parse_number(text: str | None) -> int | None:
    """Return the interval of `3`, `three`, `3rd`, `second` or `other`. `1st` and `last` are days of a month."""
    if text is None or text == "other":
        return 2 if text else 1
    if text.isdecimal():
        return int(text[:9])
    ordinal = parse_ordinal(text) or 0
    return ordinal if ordinal > 1 else NUMBERS.get(text)


def _check_interval(number: int) -> int:
    if not 1 <= number <= MAX_INTERVAL:
        raise ValueError(f"the interval must be 1 to {MAX_INTERVAL}")
    return number


def _restrict_days(rule: RecurrenceRule, on: str | None) -> RecurrenceRule:
    """Return the rule on certain days of its weeks, months or years."""
    if not on:
        return rule
    days = parse_days(on)
    if days.freq != rule.freq:
        raise ValueError(f"{on[:40]!r} are not days of a {rule.unit}")
    return days._replace(interval=rule.interval)
