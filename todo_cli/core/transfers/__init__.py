"""Tasks in and out: imports of other tools' files, and exports."""
