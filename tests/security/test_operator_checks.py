"""`todo doctor` on a server reports what its operator left open."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Database, Todo
from todo_cli.errors import Invalid, NotAllowed
from todo_cli.server.operator_checks import (
    DatabaseState,
    check_connections,
    check_encryption,
    check_logins,
    check_trusted_proxies,
    read_database_state,
)

STATE = DatabaseState("db.example.org", True, "", 100, 3, 40)


def test_doctor_of_a_sound_server_reports_its_checks(db: Database, bare: Todo) -> None:
    result = bare("doctor", "--json", env={"TODO_SERVER_DATABASE_URL": db.server_url})
    checks = {check["name"]: check for check in result.json["checks"]}
    assert (result.code, result.json["ok"]) == (0, True), result.out
    assert {"logins", "encryption", "proxies", "connections"} <= checks.keys()
    assert checks["rights"]["state"] == "ok"


FAULTS = {
    "proxies": ({"TODO_PROXIES": "*"}, "every client is trusted"),
    "connections": ({"TODO_POOL_SIZE": "1000"}, "may open 1000 connections"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_doctor_of_an_open_server_reports_the_fault(db: Database, bare: Todo, name: str) -> None:
    env, says = FAULTS[name]
    result = bare("doctor", "--json", env={"TODO_SERVER_DATABASE_URL": db.server_url} | env)
    (fault,) = [check for check in result.json["checks"] if not check["ok"]]
    assert (result.code, fault["name"]) == (1, name)
    assert says in fault["detail"]
    assert fault["hint"]


def test_doctor_of_a_server_that_connects_as_owner_reports_it(db: Database, bare: Todo) -> None:
    result = bare("doctor", "--json", env={"TODO_SERVER_DATABASE_URL": db.owner_url})
    faults = [check["name"] for check in result.json["checks"] if not check["ok"]]
    assert (result.code, faults) == (1, ["logins"])


def test_login_check_reports_a_user_with_more_rights(db: Database) -> None:
    person = db.person()
    login = psycopg.conninfo.conninfo_to_dict(person.database_url)["user"]
    with psycopg.connect(db.owner_url, autocommit=True) as owner:
        owner.execute(psycopg.sql.SQL("ALTER ROLE {} BYPASSRLS").format(psycopg.sql.Identifier(str(login))))
        try:
            with pytest.raises(NotAllowed, match=str(login)):
                check_logins(db.server_url, read_database_state(db.server_url))
        finally:
            owner.execute(psycopg.sql.SQL("ALTER ROLE {} NOBYPASSRLS").format(psycopg.sql.Identifier(str(login))))


def test_encryption_check_reports_a_database_elsewhere_in_clear() -> None:
    assert "is encrypted" in check_encryption(STATE)
    assert "on this machine" in check_encryption(STATE._replace(host="/run/postgresql", is_encrypted=False))
    with pytest.raises(Invalid, match="not encrypted"):
        check_encryption(STATE._replace(is_encrypted=False))


def test_connection_check_prints_the_arithmetic() -> None:
    assert check_connections(STATE, 10).startswith("10 of 97 for each server process, so at most 9 processes")
    with pytest.raises(Invalid, match="may open 98 connections, and the database allows 97"):
        check_connections(STATE, 98)


def test_proxy_check_names_the_trusted_proxies() -> None:
    assert check_trusted_proxies("10.0.0.0/8").endswith("10.0.0.0/8")


def test_direct_login_of_the_local_postgres_has_no_shared_rights(db: Database) -> None:
    url = db.person().database_url
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT lo_create(0)")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(psycopg.conninfo.make_conninfo(url, dbname="postgres"))


def test_doctor_names_the_shared_rights_that_are_left(db: Database, bare: Todo) -> None:
    with psycopg.connect(db.owner_url, autocommit=True) as owner:
        owner.execute("GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC")
    try:
        result = bare("doctor", "--json", env={"TODO_SERVER_DATABASE_URL": db.server_url})
    finally:
        with psycopg.connect(db.owner_url, autocommit=True) as owner:
            owner.execute("REVOKE EXECUTE ON FUNCTION lo_create(oid) FROM PUBLIC")
    [rights] = [check for check in result.json["checks"] if check["name"] == "rights"]
    assert (rights["state"], rights["detail"]) == ("note", "direct logins may store large objects")
