"""What the people of a group see of its call, and what its owners may do there."""
