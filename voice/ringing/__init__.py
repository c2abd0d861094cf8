"""Ringing people to come to their group's call: `starting` rings, `answering` speaks to who lifts the receiver."""
