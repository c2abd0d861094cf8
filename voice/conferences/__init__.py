"""Who is on a call, whatever order Twilio tells it in: `events` and `reconciliation` are the front, the fold behind."""
