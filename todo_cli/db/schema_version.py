"""The schema this release was written for. The database refuses a client that is too old, or newer than itself."""

SCHEMA_VERSION = 36
