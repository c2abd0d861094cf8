"""What every floor stands on, and knows nobody: wire values, prepared queries, vendors, deadlines, throttles."""
