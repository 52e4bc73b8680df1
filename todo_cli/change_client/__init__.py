"""Following the changes of a space, through a server or directly, over every outage."""
