"""Text messages to telephones: `texting` is the front, `twilio_sms` and `sandbox_sms` stand behind it.

Off unless the operator turns them on (`SMS=on`): each one costs.
"""
