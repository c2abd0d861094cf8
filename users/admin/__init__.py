"""The operators' pages about people. Upper apps add to them what they keep about somebody."""

from users.admin.deletions import ErasureAdmin, VendorDeletionAdmin
from users.admin.people import PersonAdmin, RightsAdmin, foretell_deletion, show_on_person
from users.admin.story import done_to

__all__ = (
    "ErasureAdmin",
    "PersonAdmin",
    "RightsAdmin",
    "VendorDeletionAdmin",
    "done_to",
    "foretell_deletion",
    "show_on_person",
)
