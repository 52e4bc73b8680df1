"""A user's preferences: they apply on every machine and over every way in. Null means the default."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import Name, Request
from todo_cli.contract.display import Confirmations, DateStyle, DisplayPreferences, SignSet, Theme, WeekDay
from todo_cli.contract.filters import SortOrder
from todo_cli.contract.limits import MAX_NAME_CHARS, MAX_TOKENS_PER_DAY

Language = Literal["en"]
TokensPerDay = Annotated[
    int, Meta(ge=0, le=MAX_TOKENS_PER_DAY, description="model tokens a day, prompt and completion together")
]
DurationText = Annotated[
    str, Meta(min_length=1, max_length=MAX_NAME_CHARS, description="a duration such as 30m, 2h or 1 day")
]

DEFAULT_TIMEZONE = "UTC"
DEFAULT_SORT = "due"


class Preferences(Struct, frozen=True, kw_only=True):
    """A user's preferences, null where the default applies.

    `project` is the project of new tasks that name none; `remind` is how long before it is due a new task reminds;
    `budget` limits the model tokens of 24 hours. `rev` grows with every change.
    """

    timezone: str | None = None
    week_start: WeekDay | None = None
    dates: DateStyle | None = None
    language: Language | None = None
    theme: Theme | None = None
    signs: SignSet | None = None
    project: str | None = None
    sort: str | None = None
    confirm: Confirmations | None = None
    pager: bool | None = None
    hints: bool | None = None
    remind: str | None = None
    model: str | None = None
    budget: int | None = None
    show_usage: bool | None = None
    rev: int = 0

    @property
    def display(self) -> DisplayPreferences:
        """The part by which a client shows answers."""
        return DisplayPreferences(
            dates=self.dates,
            theme=self.theme,
            signs=self.signs,
            confirm=self.confirm,
            pager=self.pager,
            hints=self.hints,
            week_start=self.week_start,
        )


NO_PREFERENCES = Preferences()


class ShowPreferences(Request[Preferences], frozen=True, kw_only=True):
    """Show my preferences."""

    verb = "ShowPreferences"
    label = "prefs"
    route = "GET /v1/preferences"
    write = False


class SetPreferences(Request[Preferences], frozen=True, kw_only=True):
    """Change my preferences: absent fields stay as they are, null sets a field back to its default."""

    verb = "SetPreferences"
    label = "prefs"
    past = "Changed"
    route = "PATCH /v1/preferences"
    scope = "prefs:write"
    personal = True

    timezone: Name | UnsetType | None = UNSET
    week_start: WeekDay | UnsetType | None = UNSET
    dates: DateStyle | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    theme: Theme | UnsetType | None = UNSET
    signs: SignSet | UnsetType | None = UNSET
    project: Name | UnsetType | None = UNSET
    sort: SortOrder | UnsetType | None = UNSET
    confirm: Annotated[
        Confirmations | UnsetType | None, Meta(description="when the terminal asks before a change by filter")
    ] = UNSET
    pager: bool | UnsetType | None = UNSET
    hints: Annotated[
        bool | UnsetType | None, Meta(description="print hints at other commands on a terminal; null is true")
    ] = UNSET
    remind: DurationText | UnsetType | None = UNSET
    model: Name | UnsetType | None = UNSET
    budget: TokensPerDay | UnsetType | None = UNSET
    show_usage: Annotated[
        bool | UnsetType | None, Meta(description="print tokens and cost below answers; null is true")
    ] = UNSET
