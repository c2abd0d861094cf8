"""The operators' pages in a browser: axe-core's findings, and what is wider than a phone."""
