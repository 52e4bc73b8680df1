"""The models that a conversation can use."""

from msgspec import Struct


class ModelList(Struct, frozen=True, kw_only=True):
    """The default model and the models that may be named; `models` is empty when their server has no list."""

    model: str
    models: tuple[str, ...] = ()
