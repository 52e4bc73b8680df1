"""The embedded Postgres that `todo init` creates: binaries, files, account, start and stop."""
