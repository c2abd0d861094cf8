"""What processes count while they work, summed for Prometheus: of a machine as a whole, and nothing about anybody."""
