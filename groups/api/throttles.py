"""How often somebody may write into a group."""

from users.api.throttles import CountedThrottle


class ActivityThrottle(CountedThrottle):
    scope = "activities"
