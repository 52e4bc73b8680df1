"""The database: connections and transactions, the schema and its migrations."""
