"""Settings: the configuration file, the environment and the system keyring."""
