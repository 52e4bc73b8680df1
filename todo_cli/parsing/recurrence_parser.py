"""Words for what recurs: read into a rule, and a rule said in words.

`[every] [N] UNIT [on DAYS]`, `[every] DAYS` and `daily … annually`, each followed by clauses in any order:
`at 9am`, `until DATE`, `for 10 times`, `starting DATE`, `after done`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from todo_cli.parsing.date_vocabulary import CLOCK_UNITS, MONTHS, NUMBERS, TIMES, WEEKDAYS, find
from todo_cli.parsing.recurrence_days import ORDINALS, WORKDAYS, parse_days
from todo_cli.parsing.rrule import MAX_INTERVAL, Rule

UNITS = {
    word: meaning
    for words, meaning in {
        "day days d": ("DAILY", 1), "week weeks wk wks w": ("WEEKLY", 1), "fortnight fortnights": ("WEEKLY", 2),
        "month months mo mos": ("MONTHLY", 1), "quarter quarters q": ("MONTHLY", 3),
        "year years yr yrs y": ("YEARLY", 1),
    }.items()
    for word in words.split()
}  # fmt: skip
ADVERBS = {
    "daily": "day", "weekly": "week", "biweekly": "2 weeks", "bi-weekly": "2 weeks", "fortnightly": "2 weeks",
    "monthly": "month", "quarterly": "quarter", "yearly": "year", "annually": "year", "weekdays": "weekday",
}  # fmt: skip
# The hours that Todoist's manual gives these.
DAY_PARTS = {"morning": "9am", "afternoon": "12pm", "evening": "7pm", "night": "10pm"}
DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DONE = r"after (?:it is |it's |its )?(?:done|completion|completed|completing|finished)"
CLAUSES = (
    ("until", r"(?:until|till|ending)(?: on)? "), ("start", r"(?:starting|beginning|from)(?: on)? "),
    ("times", r"(?=[0-9]+ times)"), ("done", rf"(?={_DONE})"), ("at", r"(?=at )"),
)  # fmt: skip
_STARTS = re.compile(" (?=" + "|".join(f"(?:{pattern})" for _, pattern in CLAUSES) + ")")
WORDS = frozenset(
    [*UNITS, *ADVERBS, *DAY_PARTS, *ORDINALS, *WEEKDAYS, *MONTHS, *NUMBERS, "other", "weekday", "workday", "weekend",
     "mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays", "until", "starting", "times"]
)  # fmt: skip


def split_clauses(words: str) -> dict[str, str]:
    """The phrase by its parts: `what`, and of `at until times start done` those that are there; ValueError."""
    text = " ".join(words.lower().replace(",", ", ").split()).replace(" ,", ",")
    text = re.sub(" for (?=[0-9]+ times)", " ", text)
    text = re.sub("^(every ?!|each|every) ?", lambda request: "! " if "!" in request[0] else "", text)
    what, *rest = _STARTS.split(" " + text)
    found = {"what": what.strip()}
    if found["what"].startswith("!"):
        found |= {"what": found["what"][1:].strip(), "done": "!"}
    for clause in rest:
        name, pattern = next((row for row in CLAUSES if re.match(row[1], clause)), ("", ""))
        if not name:
            raise ValueError(f"{clause[:30]!r} says nothing")
        if name in found and found[name] != "!":
            raise ValueError(f"{clause[:30]!r} says twice what was said before")
        found[name] = re.sub(f"^{pattern}", "", clause).strip()
    if not re.fullmatch(f"!|{_DONE}", found.get("done", "!")):
        raise ValueError(f"{found['done'][:40]!r} is not understood")
    return found


def parse_rule(what: str, at: str = "", times: str = "") -> Rule:
    """The rule of the words without `every`, and of the clauses that belong to the rule alone; ValueError."""
    what, clock = _clock_of(what, at)
    rule = _base(what)
    if clock:
        rule = rule._replace(hours=(clock.hour,), minutes=(clock.minute,))
        rule = rule._replace(seconds=(clock.second,)) if clock.second else rule
    if times:
        match = re.fullmatch("([0-9]{1,5}) times", times)
        if not match or not 1 <= int(match[1]) <= 10_000:
            raise ValueError(f"{times[:30]!r} must be 1 to 10000 times")
        rule = rule._replace(times=int(match[1]))
    return rule


def _clock_of(what: str, at: str) -> tuple[str, time | None]:
    """The words without the time at their end, and that time."""
    if at:
        if not (read := find(TIMES, at, date(2000, 1, 1))):
            raise ValueError(f"{at[:30]!r} is no time")
        return what, read()
    words = what.split()
    if words and words[-1] in DAY_PARTS and (len(words) == 1 or words[-1] != "night"):
        named = find(TIMES, DAY_PARTS[words[-1]], date(2000, 1, 1))
        return " ".join(words[:-1]) or "day", named() if named else None
    for length in (1, 2):
        if len(words) > length and (read := find(TIMES, " ".join(words[-length:]), date(2000, 1, 1))):
            return " ".join(words[:-length]).rstrip(","), read()
    return what, None


def _base(what: str) -> Rule:
    first, _, rest = what.partition(" ")
    what = f"{ADVERBS[first]} {rest}".strip() if first in ADVERBS else what
    if match := re.fullmatch(r"(?:(?P<n>other|[0-9]+|[a-z]+) ?)??(?P<unit>[a-z]+)(?: on (?P<on>.+))?", what):
        number = _number(match["n"])
        if match["unit"] in CLOCK_UNITS:
            raise ValueError("a task recurs daily at the most; several times a day are RRULE text with BYHOUR=9,17")
        if match["unit"] in UNITS and number is not None and (match["n"] or len(match["unit"]) > 2):
            freq, length = UNITS[match["unit"]]
            return _on(Rule(freq, _interval(number * length)), match["on"])
    interval, what = (2, what.removeprefix("other ")) if what.startswith("other ") else (1, what)
    rule = parse_days(what)
    if interval == 2 and rule.freq != "WEEKLY":
        raise ValueError("other goes with a unit or weekdays: every other month on the 15th")
    return rule._replace(interval=interval)


def _number(text: str | None) -> int | None:
    if text is None or text == "other":
        return 2 if text else 1
    return NUMBERS.get(text) or (int(text[:9]) if text.isdecimal() else None)


def _interval(number: int) -> int:
    if not 1 <= number <= MAX_INTERVAL:
        raise ValueError(f"the interval must be 1 to {MAX_INTERVAL}")
    return number


def _on(rule: Rule, on: str | None) -> Rule:
    """`rule` on certain days of its weeks, months or years."""
    if not on:
        return rule
    days = parse_days(on)
    if days.freq != rule.freq:
        raise ValueError(f"{on[:40]!r} are not days of a {_unit(rule)}")
    return days._replace(interval=rule.interval)


def format_rule(rule: Rule) -> str | None:
    """The rule in words that read as the same rule; None when there are none for it."""
    plain = rule._replace(hours=(), minutes=(), seconds=(), until=None, times=None)
    words = " ".join(filter(None, (_said(plain), _time_said(rule), f"for {rule.times} times" if rule.times else "")))
    try:
        clauses = split_clauses(words)
        again = parse_rule(clauses["what"], clauses.get("at", ""), clauses.get("times", ""))
    except ValueError:
        return None
    return f"every {words}{_until_said(rule.until)}" if again._replace(until=rule.until) == rule else None


def _unit(rule: Rule) -> str:
    return rule.freq.replace("DAILY", "DAY").removesuffix("LY").lower()


def _said(rule: Rule) -> str:
    every = _unit(rule)
    every = every if rule.interval == 1 else f"{rule.interval} {every}s"
    if rule.freq == "WEEKLY" and rule.days:
        days = ", ".join("weekday" if rule.days == WORKDAYS else DAY_NAMES[day] for _, day in rule.days)
        days = "weekday" if rule.days == WORKDAYS else days
        return days if rule.interval == 1 else f"{every} on {days}"
    on = _days_said(rule)
    return f"{every} on {on}" if on else every


def _days_said(rule: Rule) -> str:
    if rule.freq == "YEARLY" and len(rule.months) == 1 and rule.month_days:
        return f"{MONTH_NAMES[rule.months[0] - 1]} {rule.month_days[-1]}"
    if rule.days == WORKDAYS and rule.positions:
        return f"the {_nth(rule.positions[0])} weekday"
    if rule.days:
        return "the " + ", ".join(f"{_nth(which)} {DAY_NAMES[day]}" for which, day in rule.days)
    days = [day for day in rule.month_days if day > 0]
    if rule.positions:
        days = [*days[: len(rule.positions) - 1], *days[-1:]]
    last = ["last day"] if -1 in rule.month_days else []
    return "the " + ", ".join([_nth(day) for day in days] + last) if days or last else ""


def _nth(number: int) -> str:
    if number < 0:
        return "last"
    return f"{number}{'th' if 10 < number < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _time_said(rule: Rule) -> str:
    if len(rule.hours) != 1 or len(rule.minutes) != 1 or len(rule.seconds) > 1:
        return "at ?" if rule.timed else ""
    return "at " + ":".join(f"{part:02}" for part in (rule.hours + rule.minutes + rule.seconds))


def _until_said(until: date | datetime | None) -> str:
    if isinstance(until, datetime):
        return f" until {until.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    return f" until {until.isoformat()}" if until else ""
