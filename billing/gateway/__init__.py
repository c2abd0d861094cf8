"""Payments behind one interface: `interface` is the front, Stripe and a sandbox stand behind it."""
