"""The operators' view of calls: it mirrors what Twilio knows. A call whose price does not come can be settled."""

from voice.admin.calls import CallAdmin, ConferenceAdmin, time_spent
from voice.admin.group_calls import GroupCallAdmin
from voice.admin.held import HeldInline
from voice.admin.overview import calls
from voice.admin.phones import DialInNumberAdmin

__all__ = (
    "CallAdmin",
    "ConferenceAdmin",
    "DialInNumberAdmin",
    "GroupCallAdmin",
    "HeldInline",
    "calls",
    "time_spent",
)
