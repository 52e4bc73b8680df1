"""SQL of attachments as JSON: of a task's files, and of the rows that say where the bytes are."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract.limits import ATTACHMENT_CHUNK_BYTES
from todo_cli.core.json_sql import format_instant


def upload_json(row: LiteralString) -> LiteralString:
    """Return the `StoredUpload` of a row of todo.attachments; `next_chunk` is the first chunk that is missing."""
    return f"""json_build_object(
    'attachment', json_build_object(
      'id', {row}.id, 'name', {row}.name, 'type', {row}.type, 'size', {row}.size,
      'sha256', encode({row}.sha256, 'hex'), 'at', {format_instant(f"{row}.at")}),
    'space', {row}.space_id, 'place', {row}.place, 'is_stored', {row}.verified_at IS NOT NULL,
    'incoming', {row}.incoming, 'object', {row}.object,
    'next_chunk', CASE WHEN {row}.place = 'database' AND {row}.verified_at IS NULL THEN (
      SELECT min(parts.position)
      FROM generate_series(0, {row}.size / {ATTACHMENT_CHUNK_BYTES} + 1) AS parts(position)
      WHERE NOT EXISTS (
        SELECT FROM todo.attachment_chunks c
        WHERE c.space_id = {row}.space_id AND c.attachment_id = {row}.id
          AND c.position = parts.position)) ELSE 0 END)"""


def select_attachments(task: LiteralString) -> LiteralString:
    """Return a subquery with the files of the row `task`; a file that is gone for good is marked so."""
    return f"""coalesce((
    SELECT jsonb_agg(
      CASE WHEN EXISTS (
        SELECT FROM todo.attachments a
        WHERE a.space_id = {task}.space_id AND a.id = (file ->> 'id')::uuid
          AND a.removing_at IS NULL)
      THEN file ELSE file || '{{"removed": true}}' END ORDER BY place)
    FROM jsonb_array_elements({task}.attachments) WITH ORDINALITY AS files(file, place)), '[]')"""
