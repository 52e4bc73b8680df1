-- Preferences of dates, screens, new tasks, lists, questions and reminders. Null is the default.

ALTER TABLE todo.preferences
  ADD COLUMN week_start text COLLATE "C"
    CONSTRAINT preferences_week_start CHECK (week_start IN (
      'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')),
  ADD COLUMN dates text COLLATE "C"
    CONSTRAINT preferences_dates CHECK (dates IN ('relative', 'absolute')),
  ADD COLUMN language text COLLATE "C"
    CONSTRAINT preferences_language CHECK (language IN ('en')),
  ADD COLUMN theme text COLLATE "C"
    CONSTRAINT preferences_theme CHECK (theme IN ('auto', 'dark', 'light', 'none')),
  ADD COLUMN signs text COLLATE "C"
    CONSTRAINT preferences_signs CHECK (signs IN ('unicode', 'ascii')),
  ADD COLUMN project text COLLATE "C",
  ADD COLUMN sort text COLLATE "C",
  ADD COLUMN confirm text COLLATE "C"
    CONSTRAINT preferences_confirm CHECK (confirm IN ('always', 'bulk', 'never')),
  ADD COLUMN pager boolean,
  ADD COLUMN remind text COLLATE "C",
  ADD COLUMN rev bigint NOT NULL DEFAULT 0;

ALTER TABLE todo.preferences
  ALTER COLUMN week_start SET STATISTICS 0,
  ALTER COLUMN dates SET STATISTICS 0,
  ALTER COLUMN language SET STATISTICS 0,
  ALTER COLUMN theme SET STATISTICS 0,
  ALTER COLUMN signs SET STATISTICS 0,
  ALTER COLUMN project SET STATISTICS 0,
  ALTER COLUMN sort SET STATISTICS 0,
  ALTER COLUMN confirm SET STATISTICS 0,
  ALTER COLUMN pager SET STATISTICS 0,
  ALTER COLUMN remind SET STATISTICS 0,
  ALTER COLUMN rev SET STATISTICS 0;

COMMENT ON COLUMN todo.preferences.week_start IS 'first day of the week; null: monday';
COMMENT ON COLUMN todo.preferences.dates IS 'how dates are shown; null: relative';
COMMENT ON COLUMN todo.preferences.language IS 'of dates in words; null: en';
COMMENT ON COLUMN todo.preferences.theme IS 'colours of the terminal; null: auto';
COMMENT ON COLUMN todo.preferences.signs IS 'characters of the terminal; null: what it can show';
COMMENT ON COLUMN todo.preferences.project IS 'of new tasks that name none';
COMMENT ON COLUMN todo.preferences.sort IS 'of lists that name none; null: due';
COMMENT ON COLUMN todo.preferences.confirm IS 'when a change by filter is asked about; null: bulk';
COMMENT ON COLUMN todo.preferences.pager IS 'print long output through a pager; null: yes';
COMMENT ON COLUMN todo.preferences.remind
  IS 'how long before it is due a new task reminds; null: never';
COMMENT ON COLUMN todo.preferences.rev IS 'grows with every change';

GRANT UPDATE (week_start, dates, language, theme, signs, project, sort, confirm, pager, remind, rev)
  ON todo.preferences TO todo_server, todo_worker, todo_person;

UPDATE todo.schema SET version = 10;
