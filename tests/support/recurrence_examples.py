"""The words of recurrences with the rule of each, and how the tests read them."""

from datetime import date, datetime

from todo_cli.parsing.recurrence import Recurrence, parse_recurrence

BERLIN, LORD_HOWE, SAO_PAULO, APIA = "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"
WEDNESDAY = datetime.fromisoformat("2026-11-25T11:00:00+01:00")


def when(text: str) -> date | datetime:
    """Return the date or the instant."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def read(words: str) -> Recurrence:
    """Parse the words as in Berlin on that Wednesday."""
    return parse_recurrence(words, zone=BERLIN, now=WEDNESDAY)


WORDS = [
    ("every day", "FREQ=DAILY", "every day"),
    ("daily", "FREQ=DAILY", "every day"),
    ("Every Day", "FREQ=DAILY", "every day"),
    ("every 3 days", "FREQ=DAILY;INTERVAL=3", "every 3 days"),
    ("3d", "FREQ=DAILY;INTERVAL=3", "every 3 days"),
    ("every three days", "FREQ=DAILY;INTERVAL=3", "every 3 days"),
    ("every other day", "FREQ=DAILY;INTERVAL=2", "every 2 days"),
    ("every week", "FREQ=WEEKLY", "every week"),
    ("weekly", "FREQ=WEEKLY", "every week"),
    ("biweekly", "FREQ=WEEKLY;INTERVAL=2", "every 2 weeks"),
    ("every fortnight", "FREQ=WEEKLY;INTERVAL=2", "every 2 weeks"),
    ("every other week", "FREQ=WEEKLY;INTERVAL=2", "every 2 weeks"),
    ("every 2 weeks on mon,thu", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "every 2 weeks on monday, thursday"),
    ("every weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
    ("every workday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
    ("every mon-fri", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
    ("every fri-mon", "FREQ=WEEKLY;BYDAY=MO,FR,SA,SU", "every monday, friday, saturday, sunday"),
    ("every weekend", "FREQ=WEEKLY;BYDAY=SA", "every saturday"),
    ("every monday", "FREQ=WEEKLY;BYDAY=MO", "every monday"),
    ("mondays and thursdays", "FREQ=WEEKLY;BYDAY=MO,TH", "every monday, thursday"),
    ("every mon, wed and fri", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "every monday, wednesday, friday"),
    (
        "every 2 weeks on sat and sun, weeks start sunday",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU;WKST=SU",
        "every 2 weeks on saturday, sunday (weeks start sunday)",
    ),
    ("every other tuesday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "every 2 weeks on tuesday"),
    ("every month", "FREQ=MONTHLY", "every month"),
    ("every quarter", "FREQ=MONTHLY;INTERVAL=3", "every 3 months"),
    ("every 2nd tuesday", "FREQ=MONTHLY;BYDAY=2TU", "every month on the 2nd tuesday"),
    ("every second tuesday", "FREQ=MONTHLY;BYDAY=2TU", "every month on the 2nd tuesday"),
    ("1st and 3rd monday of the month", "FREQ=MONTHLY;BYDAY=1MO,3MO", "every month on the 1st monday, 3rd monday"),
    ("every last friday", "FREQ=MONTHLY;BYDAY=-1FR", "every month on the last friday"),
    ("every 3 months on the last friday", "FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR", "every 3 months on the last friday"),
    ("every last day", "FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
    ("every last weekday", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday"),
    ("every first workday", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "every month on the 1st weekday"),
    ("every 15th", "FREQ=MONTHLY;BYMONTHDAY=15", "every month on the 15th"),
    ("every 27", "FREQ=MONTHLY;BYMONTHDAY=27", "every month on the 27th"),
    ("every month on the 1st and 15th", "FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on the 1st, 15th"),
    ("every 31st", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "every month on the 31st"),
    ("15th and 30th", "FREQ=MONTHLY;BYMONTHDAY=15,28,29,30;BYSETPOS=-1,1", "every month on the 15th, 30th"),
    ("every year", "FREQ=YEARLY", "every year"),
    ("annually", "FREQ=YEARLY", "every year"),
    ("every jan 15", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=15", "every year on jan 15"),
    ("every 15th of january", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=15", "every year on jan 15"),
    (
        "every 4 years on 29 feb",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
        "every 4 years on feb 29",
    ),
    ("every day at 9am", "FREQ=DAILY;BYHOUR=9;BYMINUTE=0", "every day at 09:00"),
    ("every monday 17:30", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=17;BYMINUTE=30", "every monday at 17:30"),
    ("every day at noon", "FREQ=DAILY;BYHOUR=12;BYMINUTE=0", "every day at 12:00"),
    ("every evening", "FREQ=DAILY;BYHOUR=18;BYMINUTE=0", "every day at 18:00"),
    ("every monday morning", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0", "every monday at 09:00"),
    ("every day in the afternoon", "FREQ=DAILY;BYHOUR=15;BYMINUTE=0", "every day at 15:00"),
    ("every night", "FREQ=DAILY;BYHOUR=21;BYMINUTE=0", "every day at 21:00"),
    ("every 3rd day", "FREQ=DAILY;INTERVAL=3", "every 3 days"),
    ("every 2nd month", "FREQ=MONTHLY;INTERVAL=2", "every 2 months"),
    ("every first day", "FREQ=MONTHLY;BYMONTHDAY=1", "every month on the 1st"),
    ("every mon wed fri", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "every monday, wednesday, friday"),
    ("every monday and every thursday", "FREQ=WEEKLY;BYDAY=MO,TH", "every monday, thursday"),
    ("every 4th thursday of november", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "every year on the 4th thursday of nov"),
    ("every last monday in may", "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "every year on the last monday of may"),
    ("every day at 9am and 5pm", "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0", "every day at 09:00 and 17:00"),
    ("every hour", "FREQ=HOURLY", "every hour"),
    ("hourly", "FREQ=HOURLY", "every hour"),
    ("every 4 hours", "FREQ=HOURLY;INTERVAL=4", "every 4 hours"),
    ("every 4h until 2027-01-01", "FREQ=HOURLY;INTERVAL=4;UNTIL=20270101", "every 4 hours until 2027-01-01"),
    ("every day for 10 times", "FREQ=DAILY;COUNT=10", "every day for 10 times"),
    ("every day 10 times at 8am", "FREQ=DAILY;COUNT=10;BYHOUR=8;BYMINUTE=0", "every day at 08:00 for 10 times"),
    ("every week until 2027-01-01", "FREQ=WEEKLY;UNTIL=20270101", "every week until 2027-01-01"),
    ("every day until 2026-12-24T09:00Z", "FREQ=DAILY;UNTIL=20261224T090000Z", "every day until 2026-12-24T09:00:00Z"),
    ("FREQ=WEEKLY;BYDAY=WE,MO", "FREQ=WEEKLY;BYDAY=MO,WE", "every monday, wednesday"),
    ("RRULE:FREQ=DAILY;INTERVAL=1;", "FREQ=DAILY", "every day"),
    ("freq=monthly;bymonthday=31", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTHDAY=31"),
    (
        "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=5,6",
        "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=5,6",
        "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=5,6",
    ),
]
