"""Real Postgres and Redis from wheels, under a supervisor of our own."""
