"""The wire's shapes, key by key in their order."""

ACCOUNT = ["id", "email", "displayName", "firstName", "lastName", "avatar", "phoneNumber", "callStatus", "stripeId"]
ACCOUNT += ["billingSubcription", "accountBalance", "last4", "createdAt"]

CONTACT = ["id", "email", "displayName", "firstName", "lastName", "avatar", "callStatus", "billingSubcription"]
CONTACT += ["createdAt"]
