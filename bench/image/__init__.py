"""The image of the Dockerfile, made and run without an engine for containers: its steps, in a bare Debian."""
