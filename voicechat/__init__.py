"""The roof: settings, the whole API's routes, errors, paging, and how the server is run."""
