"""The front of the house: connections on an event loop, and Django behind it in a few threads."""
