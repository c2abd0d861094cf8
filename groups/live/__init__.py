"""What changes in groups and around a person, told as it happens: `GET /api/live`."""
