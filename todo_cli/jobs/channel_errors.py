"""How a message can fail to reach a channel."""

from __future__ import annotations


class DeliveryFailed(Exception):
    """The channel did not accept the message. A permanent failure is not worth trying again."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.is_permanent = reason, permanent
