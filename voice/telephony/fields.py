"""What Twilio writes into the fields of its webhooks."""

import re

SID = re.compile("[A-Za-z0-9_]{1,64}")
