"""Files of other tools: a module per format reads them as records and writes them from tasks."""
