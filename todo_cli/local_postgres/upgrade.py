"""Upgrade the local Postgres to another major version: dump and load, or pg_upgrade for large data.

The new cluster is built in pgdata.new. Then pgdata becomes pgdata.old and pgdata.new becomes pgdata; the old data goes
once the new server has the same number of rows in every table. Killed at any point, one of the two is whole:
`files.restore_old_data` brings the old data back, and the upgrade begins again.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from todo_cli.errors import NotFound, Unavailable
from todo_cli.local_postgres import files
from todo_cli.local_postgres.binaries import BIN_IN_COPY, OWNER, Binaries, find_binaries, find_copies, read_binaries
from todo_cli.local_postgres.locks import lock_file
from todo_cli.local_postgres.upgrade_cluster import RowCounts, UpgradeCluster

if TYPE_CHECKING:
    from collections.abc import Callable

    from todo_cli.local_postgres.cluster import LocalPostgres

OLD_PORT, NEW_PORT = 5433, 5434
"""Of the sockets during an upgrade: commands look for 5432."""
FREE_MEGABYTES = 150
"""What an empty cluster and its log need, beside the data."""
STOP_TIMEOUT_SECONDS = 60


def upgrade(
    postgres: LocalPostgres, old_bindir: Path | None, *, by_files: bool, notice: Callable[[str], None]
) -> tuple[int, int]:
    """Upgrade the data to the version of the installed Postgres; return both major versions.

    The same version twice means that there was nothing to do. Raises Unavailable where the old programs are missing,
    the disk is full, or any step fails: the old data is unchanged then.
    """
    with files.translate_os_errors(postgres.home), lock_file(postgres.home / ".lock") as lock:
        files.restore_old_data(postgres.data)
        if not postgres.exists():
            raise NotFound(f"there is no Postgres in {postgres.home}", hint="create one with: todo init")
        new = find_binaries(postgres.home).ensure_copied()
        old_major = int((postgres.data / "PG_VERSION").read_text())
        if old_major != new.major:
            _raise_for_newer_data(old_major, new)
            old = _find_old_binaries(postgres, old_major, old_bindir)
            _raise_for_space(postgres)
            _upgrade(postgres, old, new, lock, by_files=by_files, notice=notice)
    return old_major, new.major


def remove_old_data(postgres: LocalPostgres) -> None:
    """Remove the former data, once the new server works."""
    with files.translate_os_errors(postgres.home), lock_file(postgres.home / ".lock"):
        if postgres.exists():
            files.remove_directory(files.old_data(postgres.data))


def _raise_for_newer_data(old_major: int, new: Binaries) -> None:
    if old_major > new.major:
        raise Unavailable(
            f"the data was created by Postgres {old_major}, and the installed Postgres is {new.version}: it is older",
            hint=f"install a todo with Postgres {old_major}, or set TODO_PG_BIN to one",
        )


def _find_old_binaries(postgres: LocalPostgres, major: int, bindir: Path | None) -> Binaries:
    """Return the programs of the old version: those that were named, else the copy in the directory."""
    places = [bindir] if bindir else [copy / BIN_IN_COPY for copy in find_copies(postgres.home)]
    for place in places:
        binaries = read_binaries(place, postgres.data, "--old-bin" if bindir else str(place))
        if binaries.major == major:
            return binaries
    raise Unavailable(
        f"the upgrade needs the programs of Postgres {major}, which are not here",
        hint=f"name the bin directory of a Postgres {major}: todo init --upgrade --old-bin DIRECTORY",
    )


def _raise_for_space(postgres: LocalPostgres) -> None:
    needed = files.size_on_disk(postgres.data) * 2 + FREE_MEGABYTES * 1_000_000  # the dump, and the new data
    free = shutil.disk_usage(postgres.home).free
    if free < needed:
        raise Unavailable(
            f"the disk is full: the upgrade needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free",
            hint="make room, or move the directory to another disk and name it with TODO_HOME",
        )


def _upgrade(
    postgres: LocalPostgres, old: Binaries, new: Binaries, lock: int, *, by_files: bool, notice: Callable[[str], None]
) -> None:
    target, work = postgres.data.with_name("pgdata.new"), postgres.home / "upgrade"
    before, after = _make_clusters(postgres, old, new, target, work)
    for cluster in (before, after):  # of a killed upgrade
        cluster.stop()
    with lock_file(postgres.home / ".alive", timeout=STOP_TIMEOUT_SECONDS) as alive_lock:
        try:
            _create_new(after, postgres, lock, checksums_of=before if by_files else None)
            before.start(alive_lock)
            counts = before.count_rows()
            if by_files:
                before.stop()
                notice(f"Copying the data of Postgres {old.version} to {new.version}")
                _copy_files(before, after)
                after.start(alive_lock)
            else:
                notice(f"Dumping the data of Postgres {old.version} and loading it into {new.version}")
                after.start(alive_lock)
                _dump_and_load(before, after, counts, work)
            _compare(counts, after.count_rows())
        finally:
            before.stop()
            after.stop()
        files.flush_file_system(target)
    _swap(postgres.data, target)
    files.remove_directory(work)


def _make_clusters(
    postgres: LocalPostgres, old: Binaries, new: Binaries, target: Path, work: Path
) -> tuple[UpgradeCluster, UpgradeCluster]:
    sockets = files.socket_directory(postgres.home)
    files.make_private_directory(sockets, old.account)
    files.remove_directory(work)
    files.make_private_directory(work, old.account)
    password_file = work / "passwords"
    password_file.touch(mode=0o600)
    password_file.write_text(f"*:*:*:{OWNER}:{postgres.secret('owner')}\n")
    if old.account:
        files.give_to(password_file, old.account)
    return (
        UpgradeCluster(old, postgres.data, OLD_PORT, sockets, password_file),
        UpgradeCluster(new, target, NEW_PORT, sockets, password_file),
    )


def _create_new(after: UpgradeCluster, postgres: LocalPostgres, lock: int, checksums_of: UpgradeCluster | None) -> None:
    """Create the new cluster. pg_upgrade wants checksums as the old one has them."""
    files.remove_directory(after.data)
    files.make_private_directory(after.data, after.binaries.account)
    flags: tuple[str, ...] = ()
    if checksums_of:
        _, output = checksums_of.binaries.run("pg_controldata", "-D", str(checksums_of.data))
        lines = [line for line in output.splitlines() if line.startswith("Data page checksum version")]
        flags = ("--no-data-checksums" if lines and lines[0].split()[-1] == "0" else "--data-checksums",)
    after.binaries.initdb(after.data, postgres.home / "owner.password", lock, *flags)


def _dump_and_load(before: UpgradeCluster, after: UpgradeCluster, counts: RowCounts, work: Path) -> None:
    """Copy roles, then each database, by the new programs, which read the old server."""
    roles = str(work / "roles.sql")
    after.run("pg_dumpall", "--roles-only", "-d", before.conninfo(), "-f", roles)
    # the owner exists already, which is the one error that is expected; the counts find what is missing
    after.binaries.run("psql", "-q", "-X", "-d", after.conninfo(), "-f", roles)
    for name in counts:
        dump = str(work / "database.dump")
        after.run("pg_dump", "-Fc", "-d", before.conninfo(name), "-f", dump)
        after.run("pg_restore", "--create", "--exit-on-error", "-d", after.conninfo(), dump)


def _copy_files(before: UpgradeCluster, after: UpgradeCluster) -> None:
    arguments = (
        *("-b", str(before.binaries.bindir), "-B", str(after.binaries.bindir)),
        *("-d", str(before.data), "-D", str(after.data)),
        *("-U", OWNER, "-s", str(after.sockets), "-p", str(OLD_PORT), "-P", str(NEW_PORT), "--copy"),
    )
    after.run("pg_upgrade", *arguments)


def _compare(before: RowCounts, after: RowCounts) -> None:
    if before != after:
        names = sorted(name for name in before if before[name] != after.get(name))
        raise Unavailable(
            f"the upgraded data has different numbers of rows in {', '.join(names)}; your list is as it was",
            hint="try the other way: todo init --upgrade --copy-files",
        )


def _swap(data: Path, new: Path) -> None:
    old = files.old_data(data)
    files.remove_directory(old)
    data.rename(old)
    new.rename(data)
    files.flush_file_system(data.parent)
