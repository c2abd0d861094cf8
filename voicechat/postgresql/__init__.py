"""Django's backend for PostgreSQL, with a bound for each wait: `base` is Django's place for it."""
