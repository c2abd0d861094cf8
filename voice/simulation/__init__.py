"""Calls played against a running server, as Twilio would tell of them: `script` writes, `api_client` posts."""
