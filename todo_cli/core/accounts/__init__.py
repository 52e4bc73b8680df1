"""Users, tokens, and what models have used."""
