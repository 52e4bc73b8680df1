"""Tests of the filter parser: accepted filters, the position of errors, and formatting as the inverse of parsing."""

from __future__ import annotations

import pytest

from todo_cli.errors import Invalid
from todo_cli.parsing.filter_parser import format_filter, parse_filter

ACCEPTED = {  # text -> the same filter in its plainest form; None: refused
    "": "",
    "  \t\n": "",
    "3": "3",
    "3 7-9 #12": "3,7-9,12",
    "1,2,3": "1-3",
    "3,7-9,": "3,7-9",
    "#7-#9": "7-9",
    "id:3-5": "3-5",
    "3 @x 7": "3,7 tag:x",
    "3 and 7": "3 and 7",
    "3 or 7 or 4": "3-4,7",
    "-3": "not 3",
    "project:home": "project:home",
    "#home": "project:home",
    "#'my project'": "project:'my project'",
    "pro:home.*": "project:home.*",
    "Project:Home": "project:Home",
    "project!=home": "not project:home",
    "project.not:home": "not project:home",
    "project:none": "project:none",
    "@phone tag:phone +phone tags:@phone": "tag:phone tag:phone tag:phone tag:phone",
    "-@work": "not tag:work",
    "+OVERDUE -+BLOCKED": "is:overdue not is:blocked",
    "p1": "priority:1",
    "P1,p2": "priority:1 or priority:2",
    "priority:H": "priority:1",
    "pri:high,low": "priority:1 or priority:3",
    "p4": "priority:none",
    "priority<=2": "priority<=2",
    "due:today": "due:today",
    "due<fri": "due<fri",
    "due >= x": None,
    "due<'next friday'": "due<'next friday'",
    'due<="next friday"': "due<='next friday'",
    "due.before:eom due.after:sow due.by:fri": "due<eom due>sow due<=fri",
    "due.none: wait.any:": "due:none defer:any",
    "entry>-1w end:today": "created>-1w done:today",
    "status:open,done": "status:open or status:done",
    "status:pending": "status:open",
    "IS:Blocked": "is:blocked",
    "has:labels": "has:tags",
    "parent:12 after:#3": "parent:12 after:3",
    "depends:3,4": "after:3 or after:4",
    "dep:3 under:12 t:fri sched:mon": "after:3 parent:12 defer:fri scheduled:mon",
    "rec:weekly recur:any -every:none": "every:weekly every:any not every:none",
    "every:'2 weeks'": "every:'2 weeks'",
    "claimed:me": "claimed:me",
    "title:word note:'two words'": "title:word note:'two words'",
    "desc.contains:x": "title:x",
    "milk bread": "milk bread",
    "'free words'": "'free words'",
    "don't": "'don\\'t'",
    "'it\\'s' \"a 'b'\"": "'it\\'s' 'a \\'b\\''",
    "'http://x'": "'http://x'",
    ":work and @x": ":work tag:x",
    "a b or c": "a b or c",
    "a and (b or c)": "a (b or c)",
    "a && b || !c": "a b or not c",
    "a & b | c": "a b or c",
    "NOT a AND b": "not a b",
    "not (a b)": "not (a b)",
    "!!a !!!b": "a not b",
    "((a))": "a",
    "(p1|p2)": None,
    "call(mum)": "call mum",
    "Milch über 牛乳": "Milch über 牛乳",
}


@pytest.mark.parametrize("text", [text for text, plain in ACCEPTED.items() if plain is not None])
def test_parse_filter_valid_text_returns_its_plain_form(text: str) -> None:
    assert format_filter(parse_filter(text)) == ACCEPTED[text]
    assert parse_filter(ACCEPTED[text] or "") == parse_filter(text)


REFUSED = {  # text -> the position of the error, a part of the message or hint
    "prioritiy:1": (1, "priority:"),
    "a prioject:home": (3, "project:"),
    "http://x": (1, "quote"),
    "at 9:30": (4, "quote"),
    "a=b": (1, "quote"),
    "is:xyz": (4, "it can be: open"),
    "is:bloked": (4, "is:blocked"),
    "has:nots": (5, "has:note"),
    "status:opne": (8, "status:open"),
    "priority:9": (10, "priorities are"),
    "priority<none": (10, "priority:none"),
    "due: today": (5, "without a space"),
    "@ phone": (2, "without a space"),
    "due<none": (5, "due:none"),
    "project<x": (1, "no order"),
    "due.befor:x": (5, ".before:"),
    "due.none:x": (10, "takes no value"),
    "every<weekly": (1, "no order"),
    "parent:x": (8, "number"),
    "parent:1-2": (8, "single"),
    "0": (1, "no tasks 0"),
    "9-7": (1, "no tasks 9-7"),
    "1,99999999999999999999": (3, "no tasks"),
    "(a": (1, "not closed"),
    "a)": (2, "no '(' matches"),
    "()": (2, "missing"),
    "a or": (5, "missing before the end"),
    "and a": (1, "missing before 'and'"),
    "a and or b": (7, "missing before 'or'"),
    "not": (4, "missing"),
    "a xor b": (3, "xor"),
    "a -": (3, "minus"),
    "'a": (1, "not closed"),
    "x:'": (3, "not closed"),
    "''": (1, "quotes are empty"),
    "'a'b": (4, "closing quote"),
    "p1|p2": (3, "inside a word"),
    "#R&D": (3, "inside a word"),
    "(" * 31 + "a" + ")" * 31: (31, "30 deep"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_parse_filter_error_names_its_character_and_a_remedy(text: str) -> None:
    position, part = REFUSED[text]
    with pytest.raises(Invalid) as refused:
        parse_filter(text)
    assert refused.value.extra == {"position": position}
    assert f"at character {position}:" in refused.value.detail
    assert part in f"{refused.value.detail} {refused.value.hint}"
