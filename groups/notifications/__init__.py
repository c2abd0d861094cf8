"""Telling a group's devices: `announcements` and `devices` are the front, the channels stand behind."""
