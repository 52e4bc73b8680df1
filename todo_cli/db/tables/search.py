"""Comments, and the words of everything that search looks through.

`words` is an index that the database keeps by triggers: a row a word, text and task. Its key begins with the space and
the word, so a search reads its own space's words alone, and what others have stored changes neither its answer nor its
work (an index over all texts, as GIN makes them, would count theirs too). Nobody may read it: see `todo.find`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, SmallInteger, Table
from sqlalchemy.dialects.postgresql import UUID

from todo_cli.db.tables.columns import INSTANT, NOW, WORD, id_column, metadata, owner_column

comments = Table(
    "comments", metadata,
    Column("space_id", UUID(as_uuid=False), primary_key=True), Column("number", BigInteger, primary_key=True),
    id_column("id", key=True), owner_column(),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    Column("edited_at", INSTANT),
    Column("text", WORD, nullable=False),
    ForeignKeyConstraint(["space_id", "number"], ["todo.tasks.space_id", "todo.tasks.number"]),
)  # fmt: skip

words = Table(
    "words", metadata,
    Column("space_id", UUID(as_uuid=False), primary_key=True), Column("word", WORD, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("place", SmallInteger, primary_key=True, autoincrement=False, comment="0 in the title, 1 in the note, 2 in a comment"),
)  # fmt: skip

TRIGGERS = (
    "CREATE TRIGGER words_new AFTER INSERT ON todo.tasks REFERENCING NEW TABLE AS fresh"
    " FOR EACH STATEMENT EXECUTE FUNCTION todo.keep_new_words()",
    "CREATE TRIGGER words_changed AFTER UPDATE OF title, note ON todo.tasks FOR EACH ROW"
    " WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION todo.keep_words()",
    "CREATE TRIGGER words_gone AFTER DELETE ON todo.tasks FOR EACH ROW EXECUTE FUNCTION todo.keep_words()",
    "CREATE TRIGGER words_commented AFTER INSERT OR UPDATE OF text OR DELETE ON todo.comments"
    " FOR EACH ROW EXECUTE FUNCTION todo.keep_comment_words()",
)
