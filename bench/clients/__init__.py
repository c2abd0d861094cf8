"""Clients made from the OpenAPI document by six generators, compiled, and run against real answers: `make clients`."""
