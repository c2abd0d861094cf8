"""The doors of money: balances, cards, payments, statements, and Stripe's webhook."""
