"""Telephones dial in: whoever is known walks in, everybody else types a code. `conversation` is the front."""
