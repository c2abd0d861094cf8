"""How often somebody may try to pay."""

from core.throttle import Throttle


class PaymentThrottle(Throttle):
    """Money and cards together: whoever tries stolen cards is slowed down at every door."""

    scope = "payments"
