"""Show or change your preferences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, get_args

import typer

from todo_cli.cli.options import Json, Key, parse_token_count
from todo_cli.cli.preference_sources import ShownPreference, list_preferences
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.display import WEEK_DAYS, Confirmations, DateStyle, SignSet, Theme
from todo_cli.contract.preferences import Language, Preferences, SetPreferences, ShowPreferences
from todo_cli.contract.views import ChooseView, ListViews, ViewPage
from todo_cli.errors import Invalid

PANEL = "Account"
app = typer.Typer(add_completion=False)

CLEARING_WORDS = ("", "default")
SWITCHES = ("on", "off")
CHOICES: dict[str, tuple[str, ...]] = {
    "week_start": WEEK_DAYS,
    "dates": get_args(DateStyle),
    "language": get_args(Language),
    "theme": get_args(Theme),
    "signs": get_args(SignSet),
    "confirm": get_args(Confirmations),
    "pager": SWITCHES,
    "hints": SWITCHES,
    "show_usage": SWITCHES,
}

ZoneOption = Annotated[str | None, typer.Option(help="Your time zone on every machine; '' for UTC.", metavar="NAME")]
WeekStartOption = Annotated[str | None, typer.Option(help="First day of your weeks.", metavar="DAY")]
DatesOption = Annotated[
    str | None, typer.Option(help="How dates are shown: tomorrow, or 2026-12-24.", metavar="relative|absolute")
]
LanguageOption = Annotated[str | None, typer.Option(help="Language of dates in words.", metavar="en")]
ThemeOption = Annotated[str | None, typer.Option(help="Colours of the terminal.", metavar="auto|dark|light|none")]
SignsOption = Annotated[str | None, typer.Option(help="Signs of the terminal.", metavar="unicode|ascii")]
PagerOption = Annotated[str | None, typer.Option(help="Print long output through a pager.", metavar="on|off")]
HintsOption = Annotated[str | None, typer.Option(help="Print hints at other commands.", metavar="on|off")]
ConfirmOption = Annotated[
    str | None,
    typer.Option(help="When the terminal asks before a change by filter.", metavar="always|bulk|never"),
]
ViewOption = Annotated[
    str | None, typer.Option(help="View that a list without a filter shows, in this space.", metavar="NAME")
]
DefaultSortOption = Annotated[str | None, typer.Option(help="Order of lists that name none.", metavar="KEYS")]
DefaultProjectOption = Annotated[str | None, typer.Option(help="Project of new tasks that name none.", metavar="NAME")]
RemindOption = Annotated[
    str | None, typer.Option(help="How long before it is due a new task reminds.", metavar="DURATION")
]
PreferredModelOption = Annotated[
    str | None, typer.Option(help="Model to chat with; '' for the default.", metavar="NAME")
]
BudgetOption = Annotated[
    str | None, typer.Option(help="Model tokens in 24 hours, such as 200k; '' for no limit.", metavar="TOKENS")
]
UsageOption = Annotated[
    str | None, typer.Option(help="Show tokens and cost below answers on a terminal.", metavar="on|off")
]


@app.command()
def prefs(
    ctx: typer.Context,
    timezone: ZoneOption = None,
    week_start: WeekStartOption = None,
    dates: DatesOption = None,
    language: LanguageOption = None,
    theme: ThemeOption = None,
    signs: SignsOption = None,
    pager: PagerOption = None,
    hints: HintsOption = None,
    confirm: ConfirmOption = None,
    view: ViewOption = None,
    sort: DefaultSortOption = None,
    project: DefaultProjectOption = None,
    remind: RemindOption = None,
    model: PreferredModelOption = None,
    budget: BudgetOption = None,
    usage: UsageOption = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show your preferences with their sources, or change those that are named. They apply on every machine.

    The word default, or '', sets a preference back.

    todo prefs

    todo prefs --timezone Europe/Berlin --week-start sunday --theme dark

    todo prefs --project inbox --sort priority,due --confirm default
    """
    session = session_of(ctx)
    choices = {
        "week_start": week_start, "dates": dates, "language": language, "theme": theme, "signs": signs,
        "confirm": confirm, "pager": pager, "hints": hints, "show_usage": usage,
    }  # fmt: skip  # a table
    texts = {"timezone": timezone, "sort": sort, "project": project, "remind": remind, "model": model}
    changes = _read_changes(choices, texts, budget)
    shown = _change(session, changes, view, key) if changes or view is not None else _show(session)
    _print_preferences(session, shown, as_json=as_json)
    if timezone is not None and not as_json:
        _remark_on_zone(session, changes["timezone"])


def _read_changes(choices: dict[str, str | None], texts: dict[str, str | None], budget: str | None) -> dict[str, Any]:
    """Return the fields that were named, with None for a default; raises Invalid."""
    changes = {name: _parse_choice(name, text, CHOICES[name]) for name, text in choices.items() if text is not None}
    changes |= {name: None if text in CLEARING_WORDS else text for name, text in texts.items() if text is not None}
    if budget is not None:
        changes["budget"] = None if budget in CLEARING_WORDS else parse_token_count(budget)
    return changes


def _parse_choice(name: str, text: str, allowed: Iterable[str]) -> Any:
    """Return one of the allowed words, True or False for a switch, None for the default; raises Invalid."""
    word = text.strip().lower()
    if word in CLEARING_WORDS:
        return None
    if word not in allowed:
        option = "usage" if name == "show_usage" else name.replace("_", "-")
        raise Invalid(f"--{option} {text[:40]!r} is not known", hint=f"choose one of: {', '.join(allowed)}, default")
    return word == "on" if allowed == SWITCHES else word


def _show(session: Session) -> list[ShownPreference]:
    stored, views = session.send_all(ShowPreferences(), ListViews())
    return list_preferences(session, stored, _name_default_view(views))


def _change(session: Session, changes: dict[str, Any], view: str | None, key: str | None) -> list[ShownPreference]:
    """Make the changes and return the preferences that were named. The view is first, since it may not exist."""
    chosen, stored = None, Preferences()
    if view is not None:
        name = None if view in CLEARING_WORDS else view
        chosen = _name_default_view(session.send(ChooseView(name=name), f"{key} view" if key else None))
    if changes:
        stored = session.send(SetPreferences(**changes), key)
    names = {"usage" if name == "show_usage" else name.replace("_", "-") for name in changes}
    names |= set() if view is None else {"view"}
    return [shown for shown in list_preferences(session, stored, chosen) if shown.name in names]


def _name_default_view(page: ViewPage) -> str | None:
    return next((f":{view.name}" for view in page.views if view.default), None)


def _print_preferences(session: Session, preferences: list[ShownPreference], *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        values = {shown.name.replace("-", "_"): shown.value for shown in preferences}
        sources = {shown.name.replace("-", "_"): shown.source for shown in preferences}
        json.write_document(values | {"sources": sources})
        return
    from todo_cli.cli.render.rows import print_rows

    rows = [(shown.name, "-" if shown.value is None else str(shown.value), shown.source) for shown in preferences]
    print_rows(session, ("preference", "value", "source"), rows, nothing="")


def _remark_on_zone(session: Session, stored: str | None) -> None:
    """Note that this machine has a time zone of its own, so that the stored one has no effect here."""
    local_zone = session.settings.timezone
    if local_zone and local_zone != stored:
        from todo_cli.cli.render import text
        from todo_cli.cli.render.escape import escape

        remark = f"This machine uses {local_zone}: TODO_TIMEZONE or the profile sets it (see: todo config edit)."
        text.note(escape(remark))
