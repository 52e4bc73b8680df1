"""The signature of a webhook's posts: over the moment too, so that an old post cannot be sent again."""

from __future__ import annotations

import hashlib
import hmac

TOLERANCE_SECONDS = 300
"""A receiver refuses posts that were signed longer ago, or later, than this."""


def sign(secret: str, moment: int, body: bytes) -> str:
    """Return the header `Todo-Signature`: `t=MOMENT,v1=HMAC-SHA256` of `MOMENT.BODY`."""
    digest = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def is_signed(secret: str, header: str, body: bytes, now: float) -> bool:
    """Whether the header signs the body, within the tolerance; for receivers written in Python."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    if not parts.get("t", "").isdigit():
        return False
    moment = int(parts["t"])
    return hmac.compare_digest(sign(secret, moment, body), header) and abs(now - moment) <= TOLERANCE_SECONDS
