"""A case from end to end: told, played at random, and simulated."""
