"""What every floor stands on, and knows nobody: wire values, prepared queries, vendors and how long they may take."""
