"""Invitations by link: whoever has one may join the group."""
