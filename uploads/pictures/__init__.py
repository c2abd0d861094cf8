"""Pictures from strangers: taken apart, decoded, and drawn anew.

It runs in a process of its own (`python -m uploads.pictures`) and therefore knows nothing of the rest of the house:
a picture goes in at standard input, and what `__main__.py` says comes out.
"""
