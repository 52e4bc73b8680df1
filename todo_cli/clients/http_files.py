"""Send files to the signed URLs of an object store and read them from there. No token of ours travels with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from todo_cli.errors import Conflict, TodoError, Unavailable

PART_BYTES = 64 * 1024
CONNECT_TIMEOUT_SECONDS = 10.0
STALL_TIMEOUT_SECONDS = 60.0
"""A transfer that moves no byte for so long is given up."""
MAX_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.5  # doubled after each attempt

CountBytes = Callable[[int], None]
"""Is called with the number of bytes that were moved so far."""


def put_file(url: str, headers: Mapping[str, str], source: IO[bytes], size: int, count: CountBytes) -> None:
    """Upload a file in one PUT, again from its beginning after a lost connection; raises TodoError."""

    def send(client: Any) -> None:
        source.seek(0)
        lengths = {**headers, "Content-Length": str(size)}
        response = client.put(url, content=_read_parts(source, count), headers=lengths)
        _raise_for_status(response.status_code)

    _try_often(send)


def get_file(url: str, restart: Callable[[], Callable[[bytes], None]]) -> None:
    """Download a file in one GET; `restart` begins an attempt and returns the function that takes the parts."""

    def receive(client: Any) -> None:
        write = restart()
        with client.stream("GET", url) as response:
            _raise_for_status(response.status_code)
            for part in response.iter_raw(PART_BYTES):
                write(part)

    _try_often(receive)


def _read_parts(source: IO[bytes], count: CountBytes) -> Iterator[bytes]:
    done = 0
    while part := source.read(PART_BYTES):
        yield part
        done += len(part)
        count(done)


def _try_often(transfer: Callable[[Any], None]) -> None:
    import httpx2

    timeout = httpx2.Timeout(STALL_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
    with httpx2.Client(timeout=timeout, headers={"Accept-Encoding": "identity"}) as client:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                transfer(client)
            except (httpx2.TransportError, Unavailable) as error:
                if attempt == MAX_ATTEMPTS:
                    raise _give_up(error) from None
                time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise _give_up(error) from None
            else:
                return


def _give_up(error: Exception) -> TodoError:
    reason = error.detail if isinstance(error, TodoError) else type(error).__name__
    return Unavailable(f"the store of the files cannot be reached: {reason}", hint="repeat the command")


def _raise_for_status(status: int) -> None:
    if status >= 500:
        raise Unavailable(f"it answered with status {status}")
    if status != 200:
        raise Conflict(
            f"the store of the files refused the transfer (status {status}); its URL may have expired",
            hint="repeat the command",
        )
