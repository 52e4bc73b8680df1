"""The search index over tasks: one row per word, task and place, kept by triggers.

Its key begins with the space and the word, so a search reads only the words of its own space, and what other spaces
store changes neither its answer nor its work. (A GIN index over the texts would count their rows too.) Clients cannot
read the table; they call todo.search_tasks().
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, SmallInteger, Table

from todo_cli.db.tables.columns import TEXT, metadata, uuid_column

words = Table(
    "words",
    metadata,
    uuid_column("space_id", key=True),
    Column("word", TEXT, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column(
        "place",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        comment="0: title, 1: note, 2: a comment",
    ),
)

TRIGGERS = (
    """CREATE TRIGGER words_inserted AFTER INSERT ON todo.tasks
  REFERENCING NEW TABLE AS inserted_tasks FOR EACH STATEMENT
  EXECUTE FUNCTION todo.index_new_tasks()""",
    """CREATE TRIGGER words_changed AFTER UPDATE OF title, note ON todo.tasks FOR EACH ROW
  WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.note IS DISTINCT FROM NEW.note)
  EXECUTE FUNCTION todo.index_changed_task()""",
    """CREATE TRIGGER words_deleted AFTER DELETE ON todo.tasks FOR EACH ROW
  EXECUTE FUNCTION todo.index_changed_task()""",
    """CREATE TRIGGER words_commented AFTER INSERT OR UPDATE OF text OR DELETE ON todo.comments
  FOR EACH ROW EXECUTE FUNCTION todo.index_comment()""",
)
