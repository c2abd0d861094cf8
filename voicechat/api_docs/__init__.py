"""What the OpenAPI document says beside the code: errors by their codes, examples, webhooks, where the server is."""
