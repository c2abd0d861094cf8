"""The database itself raises a person's version with each change of their row, whoever writes it."""

from core.triggers import own_version
from users.models import User

TRIGGERS = (own_version(User),)
