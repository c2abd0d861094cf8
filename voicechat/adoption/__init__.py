"""Taking over a database that the first back end made: found, read, and copied in parts that a kill does not undo."""
