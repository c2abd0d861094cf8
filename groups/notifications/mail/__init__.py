"""E-mail: `interface` is the front, `smtp` and `sandbox_mail` stand behind it. docs/decisions/e-mail.md says why so."""
