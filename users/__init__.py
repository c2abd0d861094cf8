"""The people: who they are, how they sign in, and what one may see of another."""
