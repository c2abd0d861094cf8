"""Proof that the books are right, and what puts them right: `reconciliation` and `invariants` are the front."""
