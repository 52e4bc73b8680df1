"""Encode and decode Requests and answers as JSON: strict about Requests, tolerant of new fields in answers."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from todo_cli.contract.base import Request, Secret
from todo_cli.errors import Invalid

R = TypeVar("R")

# the error texts of msgspec; they are compiled on first use, as compiling costs a twentieth of a command's start
_LENGTH = r"Expected `(?:str|array|object)` of length (<=|>=) (\d+)(?: - at `\$\.?([^`]*)`)?"
_BOUND = r"Expected `int` (<=|>=) (-?\d+)(?: - at `\$\.?([^`]*)`)?"
_FIELD = r"(?s)^(?P<rule>.*?)(?: - at `\$\.?(?P<field>[^`]*)`)?$"


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not part of the contract")


_ENCODER = msgspec.json.Encoder(enc_hook=_reveal)


def encode(value: Any) -> bytes:
    """Encode as JSON; raises Invalid for a lone surrogate, which bytes that are not UTF-8 leave in a text."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise Invalid("the text is not valid UTF-8", hint="convert it first, for example with iconv") from error


def encode_sorted(value: Any) -> bytes:
    """Encode as JSON with sorted fields, so that equal content gives equal bytes."""
    return msgspec.json.encode(msgspec.to_builtins(value, enc_hook=_reveal), order="sorted")


@cache
def answer_type(request: type[Request[Any]]) -> Any:
    """Return the `R` of a `Request[R]`."""
    for base in request.__mro__:
        for parent in base.__dict__.get("__orig_bases__", ()):
            if get_origin(parent) is Request:
                return get_args(parent)[0]
    raise TypeError(f"{request.__name__} has no answer type")


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(data: bytes | str, kind: type[R]) -> R:
    """Decode JSON to a type of the contract; raises msgspec.DecodeError."""
    answer: R = _decoder(kind).decode(data)  # type: ignore[arg-type]  # mypy does not know that type[R] is hashable
    return answer


def decode_request(data: bytes, kind: type[R]) -> R:
    """Decode a Request of a caller; raises Invalid that names the field and the rule it breaks."""
    try:
        return decode(data or b"{}", kind)
    except msgspec.DecodeError as error:
        raise Invalid(_describe(str(error))) from None
    except UnicodeDecodeError:
        raise Invalid("the request is not valid UTF-8") from None


def convert_request(values: dict[str, Any], kind: type[R]) -> R:
    """Convert values to a Request, the text '5' to a number where the field is one; raises Invalid."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(_describe(str(error))) from None


def encode_checked(request: Request[R]) -> bytes:
    """Encode a Request after the checks that a server makes; raises Invalid."""
    data = encode(request)
    decode_request(data, type(request))
    return data


def _describe(message: str) -> str:
    """Return an error text of msgspec as a sentence about the field."""
    if match := re.match(_LENGTH, message):
        sign, bound, field = match.groups()
        subject = field or "the request"
        if sign == ">=":
            return f"{subject} is empty"
        unit = "characters" if "`str`" in message else "entries"
        return f"{subject} is longer than {int(bound):,} {unit}"
    if match := re.match(_BOUND, message):
        sign, bound, field = match.groups()
        return f"{field or 'the number'} must be {'at least' if sign == '>=' else 'at most'} {int(bound):,}"
    match = re.match(_FIELD, message)
    if match and match["field"]:
        return f"{match['field']}: {match['rule']}"
    return message
