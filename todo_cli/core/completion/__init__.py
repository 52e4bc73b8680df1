"""Words that a shell completes."""
