"""Import and export of tasks: sending, progress and reports."""
