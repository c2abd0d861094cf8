"""Calls: who is let in, who is on, and what it costs."""
