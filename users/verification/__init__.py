"""Showing that a telephone is somebody's: a code is sent to it, and they type it in."""
