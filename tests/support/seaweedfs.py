"""A real S3-compatible server out of the wheel, on loopback, ready in two seconds: `Seaweedfs(home)`, then `stop()`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from tests.conftest import wait_for

KEY, SECRET, BUCKET = "test-key", "test-secret-0123456789", "attachments"
PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port",
    "s3.port.grpc", "admin.port", "admin.port.grpc",
)  # fmt: skip  # a list of words


def free_ports(count: int) -> list[int]:
    """Return ports that are free at this moment, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Seaweedfs:
    """One server with one bucket. `settings` is the environment of a `todo serve` that uses it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.endpoint = f"http://127.0.0.1:{self._ports['s3.port']}"
        self.settings = {
            "TODO_STORE_BUCKET": BUCKET,
            "TODO_STORE_ENDPOINT": self.endpoint,
            "TODO_STORE_ACCESS_KEY_ID": KEY,
            "TODO_STORE_SECRET_ACCESS_KEY": SECRET,
        }
        self.bucket = S3Store(
            BUCKET,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=KEY,
            secret_access_key=SECRET,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True, "timeout": "5s"},
            retry_config={"max_retries": 0},
        )
        (home / "data").mkdir()
        verbs = [f"{verb}:{BUCKET}" for verb in ("Read", "Write", "List", "Tagging")]
        user = {"name": "todo", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": verbs}
        identities = {"identities": [user, {"name": "anonymous", "actions": []}]}
        (home / "s3.json").write_text(json.dumps(identities))
        self._process = self._start()
        wait_for(self._is_ready, "the S3 server starts", timeout=60)

    def _start(self) -> subprocess.Popen[bytes]:
        weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        weed = weed or str(Path(obstore.__file__).parents[4] / "bin" / "weed")
        command = [
            weed, "mini", f"-dir={self._home}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}",
            f"-s3.config={self._home}/s3.json", "-s3.autoCreateBucket=false", "-s3.iam=false",
            f"-s3.localSocket={self._home}/s3.sock", f"-filer.localSocket={self._home}/filer.sock",
            "-master.telemetry=false", "-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
            *(f"-{name}={port}" for name, port in self._ports.items()),
        ]  # fmt: skip  # an option with its value
        environment = {"PATH": os.defpath, "HOME": str(self._home)}
        with (self._home / "log").open("wb") as log:
            return subprocess.Popen(command, cwd=self._home, stdout=log, stderr=log, env=environment)

    def _is_ready(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError((self._home / "log").read_text()[-2000:])
        try:
            obstore.put(self.bucket, "ready", b"1")
            obstore.delete(self.bucket, "ready")
        except Exception:
            return False
        return True

    def list_keys(self) -> list[str]:
        """Return the keys of all objects."""
        return [row["path"] for rows in obstore.list(self.bucket) for row in rows]

    def restart(self) -> None:
        """Kill it and start it again over its data."""
        self.stop()
        self._process = self._start()
        wait_for(self._is_ready, "the S3 server starts again", timeout=60)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweedfs]:
    """A server for the tests of one module."""
    running = Seaweedfs(tmp_path_factory.mktemp("s3"))
    yield running
    running.stop()
