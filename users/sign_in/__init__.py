"""Sign-in by bearer token: `authentication`, `binding` and `tokens` are its front; `local_issuer` needs no provider."""
