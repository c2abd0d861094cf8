"""The doors of calls: what apps ask, what Twilio posts, and what calls cost."""
