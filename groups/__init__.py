"""Who talks with whom: groups, the people around them, what they did, and how they are told."""
