"""Images: read, written anew, and stored."""
