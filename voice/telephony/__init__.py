"""Telephony behind one interface: `interface` is the front, Twilio and a sandbox stand behind it."""
