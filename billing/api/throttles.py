"""How often somebody may try to pay, and ask Stripe about it."""

from users.api.throttles import CountedThrottle


class PaymentThrottle(CountedThrottle):
    """Money and cards together: whoever tries stolen cards is slowed down at every door."""

    scope = "payments"


class CardInquiryThrottle(CountedThrottle):
    """What changes nothing here, and yet asks Stripe each time: the default card, and the sum of payments."""

    scope = "card_inquiries"
