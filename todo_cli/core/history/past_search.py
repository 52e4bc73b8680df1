"""Search for words in tasks of the past: the index knows the texts of today, so changed tasks are read one by one."""

from __future__ import annotations

from typing import LiteralString


def search_past(call: LiteralString, words: LiteralString) -> LiteralString:
    """Return a search of the same columns as the `call`, within a statement of `look_back`.

    Tasks that are as they were are found by the index. In the other ones each of the `words`, or its English stem, must
    stand in the title, the note or a comment of that time.
    """
    return f"""(
    SELECT f.number, f.score FROM {call} AS f
    WHERE f.number NOT IN (SELECT number FROM touched)
    UNION ALL
    SELECT r.number, 0::real FROM rebuilt r
      CROSS JOIN LATERAL (SELECT todo.fold_text(concat_ws(' ', r.title, r.former_note, (
        SELECT string_agg(c.text, ' ') FROM todo.comments c
        WHERE c.space_id = r.space_id AND c.number = r.number))) AS folded) AS texts
    WHERE cardinality({words}) > 0 AND NOT EXISTS (
      SELECT FROM unnest({words}) AS word
      WHERE position(todo.fold_text(word) IN texts.folded) = 0
        AND position(coalesce((ts_lexize('pg_catalog.english_stem', todo.fold_text(word)))[1],
          todo.fold_text(word)) IN texts.folded) = 0))"""
