"""The journal as people use it: log, undo, redo, plans."""
