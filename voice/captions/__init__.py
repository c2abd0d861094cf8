"""Captions of a group's call: who says what, as text, and what people type to have it spoken there."""
