"""Settings from the environment and the config file, and where the token is kept."""
