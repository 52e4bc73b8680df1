"""Files that are attached to tasks."""
