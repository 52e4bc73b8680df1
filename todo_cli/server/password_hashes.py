"""Hash passwords with argon2id, in threads, and never more than two at once: a hash takes 19 MiB and 30 ms."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from hashlib import sha256
from os import urandom

from todo_cli.contract.base import Secret

TIME_COST, MEMORY_KIB, LANES = 2, 19_456, 1  # as OWASP recommends
HASH_BYTES, SALT_BYTES = 32, 16
MAX_HASHES_AT_ONCE = 2

UNKNOWN_PREFIX = f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p={LANES}$bm8gc3VjaCBhY2NvdW50IQ$"
"""The parameters and a salt for an account that does not exist: its password is hashed as any other."""


class PasswordHashes:
    """Hashes passwords for the requests of one process."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_HASHES_AT_ONCE)

    async def hash_new(self, password: Secret, seed: str | None = None) -> str:
        """Return the hash of a password with a new salt. The same seed gives the same salt, for a repeated request."""
        salt = sha256(seed.encode()).digest()[:SALT_BYTES] if seed else urandom(SALT_BYTES)
        async with self._slots:
            return await asyncio.to_thread(_hash, password, salt, TIME_COST, MEMORY_KIB, LANES)

    async def hash_like(self, password: Secret, prefix: str | None) -> str:
        """Return the hash of a password with the parameters and the salt of a stored hash, from its beginning."""
        async with self._slots:
            return await asyncio.to_thread(_hash_like, password, prefix or UNKNOWN_PREFIX)


def is_outdated(prefix: str) -> bool:
    """Return whether a stored hash has other parameters than new ones get."""
    return prefix.rpartition("$")[0].rpartition("$")[0] != UNKNOWN_PREFIX[:-1].rpartition("$")[0]


def _hash_like(password: Secret, prefix: str) -> str:
    from argon2 import extract_parameters

    salt = prefix.split("$")[4]
    stored = extract_parameters(prefix + "A" * 43)  # it reads a whole hash, here one of 32 bytes
    return _hash(
        password,
        b64decode(salt + "=" * (-len(salt) % 4)),
        stored.time_cost,
        stored.memory_cost,
        stored.parallelism,
    )


def _hash(password: Secret, salt: bytes, time_cost: int, memory_kib: int, lanes: int) -> str:
    from argon2.low_level import Type, hash_secret

    return hash_secret(
        password.reveal().encode(), salt, time_cost, memory_kib, lanes, hash_len=HASH_BYTES, type=Type.ID
    ).decode()
