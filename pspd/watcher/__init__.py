"""Directory trees in, decided changes out: events and scans only say where to look."""
