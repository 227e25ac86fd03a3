"""docvigil: settings, the command line, embedded services."""
