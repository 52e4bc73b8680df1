"""Requests and answers as bytes: strict on what comes in, tolerant of fields it does not know yet."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from todo_cli.contract.base import Request, Secret
from todo_cli.errors import Invalid

R = TypeVar("R")

# compiled when first met: most commands never do, and it would be a twentieth of their time
_LONGER = r"Expected `(?:str|array|object)` of length (<=|>=) (\d+)(?: - at `\$\.?([^`]*)`)?"
_BOUND = r"Expected `int` (<=|>=) (-?\d+)(?: - at `\$\.?([^`]*)`)?"
_FIELD = r"(?s)^(?P<what>.*?)(?: - at `\$\.?(?P<field>[^`]*)`)?$"


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not part of the contract")


_ENCODER = msgspec.json.Encoder(enc_hook=_reveal)


def encode(value: Any) -> bytes:
    """JSON; raises Invalid for text that is not Unicode (a lone surrogate from bytes that are not UTF-8)."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise Invalid("the text is not valid UTF-8", hint="convert it first, for example with iconv") from error


def canonical(value: Any) -> bytes:
    """The same JSON for the same content, whatever the order of its fields."""
    return msgspec.json.encode(msgspec.to_builtins(value, enc_hook=_reveal), order="sorted")


@cache
def answer_type(request: type[Request[Any]]) -> Any:
    """The `R` of a `Request[R]`."""
    for base in request.__mro__:
        for parent in base.__dict__.get("__orig_bases__", ()):
            if get_origin(parent) is Request:
                return get_args(parent)[0]
    raise TypeError(f"{request.__name__} does not say what it answers")


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(data: bytes | str, kind: type[R]) -> R:
    """JSON to a contract type; raises msgspec.DecodeError."""
    answer: R = _decoder(kind).decode(data)  # type: ignore[arg-type]  # types are hashable, mypy knows it not of type[R]
    return answer


def decode_request(data: bytes, kind: type[R]) -> R:
    """As `decode`, for what somebody else wrote: raises Invalid with the field and the rule it breaks."""
    try:
        return decode(data or b"{}", kind)
    except msgspec.DecodeError as error:
        raise Invalid(_sentence(str(error))) from None
    except UnicodeDecodeError:
        raise Invalid("the request is not valid UTF-8") from None


def convert_request(values: dict[str, Any], kind: type[R]) -> R:
    """As `decode_request`, from the words of an address: '5' is a number where one is due."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(_sentence(str(error))) from None


def checked(request: Request[R]) -> bytes:
    """The request as JSON, having passed the same checks that a server makes; raises Invalid."""
    data = encode(request)
    decode_request(data, type(request))
    return data


def _sentence(message: str) -> str:
    if found := re.match(_LONGER, message):
        sign, bound, field = found.groups()
        what = field or "the request"
        if sign == ">=":
            return f"{what} is empty"
        many = "characters" if "`str`" in message else "entries"
        return f"{what} is longer than {int(bound):,} {many}"
    if found := re.match(_BOUND, message):
        sign, bound, field = found.groups()
        return f"{field or 'the number'} must be {'at least' if sign == '>=' else 'at most'} {int(bound):,}"
    parts = re.match(_FIELD, message)
    if parts and parts["field"]:
        return f"{parts['field']}: {parts['what']}"
    return message
