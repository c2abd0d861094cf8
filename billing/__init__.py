"""Money: the ledger, and the flows that post to it."""
