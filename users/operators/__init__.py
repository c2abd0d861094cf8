"""The operators: their sessions, their password asked once more, what the log tells of them, and how a person is
written so that no name misleads their eye. The pages themselves are in each app's `admin`.
"""

from users.operators.names import legible_column, person_link, written
from users.operators.password import password_first
from users.operators.reasons import reason_first

__all__ = ("legible_column", "password_first", "person_link", "reason_first", "written")
