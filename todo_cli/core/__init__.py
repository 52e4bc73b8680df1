"""The rules: one function answers one Request, inside one transaction."""
