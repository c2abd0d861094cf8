"""What every floor stands on, and knows nobody: wire values, rows, prepared queries, vendors, deadlines, throttles."""
