"""How a process has answered polls, for who runs it."""

from dataclasses import dataclass


@dataclass
class Counts:
    kept: int = 0
    """Given from what was kept."""
    made: int = 0
    """Made by Django, and kept."""
    passed: int = 0
    """Django's, untouched: first ones, refusals, and while the database could not be asked."""


counts = Counts()
