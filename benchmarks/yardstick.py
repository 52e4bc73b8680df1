"""What most would write: FastAPI, SQLAlchemy's ORM and psycopg, one bare insert and one bare list.

No sign-in, no journal, no idempotency, no row-level security: the user is a number in the query.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine(os.environ["YARDSTICK_URL"], pool_size=10)
app = FastAPI()


class Base(DeclarativeBase):
    """Of the models."""

    metadata = MetaData(schema="yardstick")


class Todo(Base):
    """One task."""

    __tablename__ = "todo"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    title: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    priority: Mapped[int | None]
    project: Mapped[str | None]
    due: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=datetime.now)


class TodoIn(BaseModel):
    """To be added."""

    title: str
    priority: int | None = None
    project: str | None = None
    due: datetime | None = None


class TodoOut(TodoIn):
    """As stored."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    status: str
    created_at: datetime


def session() -> Iterator[Session]:
    """One a request."""
    with Session(engine) as made:
        yield made


Database = Annotated[Session, Depends(session)]


@app.post("/todos", status_code=201)
def add(user: int, todo: TodoIn, database: Database) -> TodoOut:
    """One bare insert."""
    made = Todo(user_id=user, **todo.model_dump())
    database.add(made)
    database.commit()
    return TodoOut.model_validate(made)


@app.get("/todos")
def listing(user: int, database: Database, limit: int = 20) -> list[TodoOut]:
    """One bare list."""
    found = select(Todo).where(Todo.user_id == user, Todo.status == "open").order_by(Todo.due, Todo.id).limit(limit)
    return [TodoOut.model_validate(one) for one in database.scalars(found)]


if __name__ == "__main__":
    import sys

    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
