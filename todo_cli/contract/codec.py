"""Encode and decode Requests and answers as JSON: strict about Requests, tolerant of new fields in answers.

All text of a Request is in Unicode's form NFC from here on, so that two spellings of `café` are one name. Every way in
passes through `decode_request` or `convert_request`.
"""

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


def _read_secret(kind: Any, value: Any) -> Secret:
    """Return a secret of a Request; the error names the rule and not the value."""
    if not issubclass(kind, Secret):
        raise TypeError(f"{kind.__name__} is not part of the contract")
    if not isinstance(value, str):
        raise ValueError("Expected `str`")
    if not kind.min_chars <= len(value) <= kind.max_chars:
        raise ValueError(f"a text of {kind.min_chars} to {kind.max_chars} characters is expected")
    if kind.pattern and not re.match(kind.pattern.removesuffix("$") + r"\Z", value):
        raise ValueError(f"a text that matches {kind.pattern} is expected")
    secret: Secret = kind(value)
    return secret


_ENCODER = msgspec.json.Encoder(enc_hook=_reveal)


def encode(value: Any) -> bytes:
    """Encode as JSON; raises Invalid for a lone surrogate, which bytes that are not UTF-8 leave in a text."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError as error:
        raise Invalid("the text is not valid UTF-8", hint="convert it first, for example with iconv") from error


def to_builtins(request: Request[Any]) -> dict[str, Any]:
    """Return the fields of a Request as values of JSON."""
    fields: dict[str, Any] = msgspec.to_builtins(request, enc_hook=_reveal)
    return fields


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
    return msgspec.json.Decoder(kind, dec_hook=_read_secret)


def decode(data: bytes | str, kind: type[R]) -> R:
    """Decode JSON to a type of the contract; raises msgspec.DecodeError."""
    answer: R = _decoder(kind).decode(data)  # type: ignore[arg-type]  # mypy does not know that type[R] is hashable
    return answer


def decode_request(data: bytes, kind: type[R]) -> R:
    """Decode a Request of a caller; raises Invalid that names the field and the rule it breaks."""
    try:
        if data.isascii() and b"\\u" not in data:
            return decode(data or b"{}", kind)
        return msgspec.convert(normalize_text(msgspec.json.decode(data)), kind, str_keys=True, dec_hook=_read_secret)
    except msgspec.DecodeError as error:
        raise Invalid(_describe(str(error))) from None
    except UnicodeDecodeError:
        raise Invalid("the request is not valid UTF-8") from None
    except RecursionError:
        raise Invalid("the request is nested too deeply") from None


def convert_request(values: dict[str, Any], kind: type[R]) -> R:
    """Convert values to a Request, the text '5' to a number where the field is one; raises Invalid."""
    _refuse_numbers(values, _instant_fields(kind))  # type: ignore[arg-type]  # as in `decode`
    try:
        return msgspec.convert(normalize_text(values), kind, strict=False, str_keys=True, dec_hook=_read_secret)
    except msgspec.ValidationError as error:
        raise Invalid(_describe(str(error))) from None
    except RecursionError:
        raise Invalid("the request is nested too deeply") from None


@cache
def _instant_fields(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields that are instants."""
    return tuple(field.name for field in msgspec.structs.fields(kind) if "datetime.datetime" in str(field.type))


def _refuse_numbers(values: dict[str, Any], instants: tuple[str, ...]) -> None:
    """Raise Invalid for an instant that is a number, which msgspec reads as seconds since 1970 where it is text."""
    for name in instants:
        value = values.get(name)
        if isinstance(value, str) and "T" not in value.upper():
            raise Invalid(f"{name} must be an instant such as 2026-12-24T09:00:00Z")


def normalize_text(value: Any) -> Any:
    """Return a value of JSON with all text in Unicode's form NFC."""
    if isinstance(value, str):
        return value if value.isascii() else _to_nfc(value)
    if isinstance(value, dict):
        return {name: normalize_text(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [normalize_text(item) for item in value]
    return value


def _to_nfc(text: str) -> str:
    from unicodedata import normalize

    return normalize("NFC", text)


def check_request(request: R) -> R:
    """Return a Request as a server reads it, after the checks that a server makes; raises Invalid."""
    return decode_request(encode(request), type(request))


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
