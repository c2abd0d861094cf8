"""Who may do what where sign-in is on: one line per operation, one column per caller.

`{self}` is the caller; `{owner}`, `{member}`, `{invitee}` and `{stranger}` are other people of that kind, `{absent}` is
nobody's id; `{link}` is one of the group's, and `{token}` its token; `{export}` is the member's. `=` after a
status: the answer is a success, and yet no row has changed (no GET changes one). Who sends no token, one that has run
out or a forged one is answered 401; a line that names `{group}` answers 404 to everybody known where there is no such
group.
"""

TABLE = """
unknown stranger invitee member owner staff
403     200      200     200    200   200   GET /api/users
201     200=     200=    200=   200=  200=  POST /api/users {"email": "{my_email}"}
403     403      403     403    403   403   POST /api/users {"email": "{email_of_member}"}
403     403      403     403    403   403   POST /api/users {"email": "somebody@else.example"}
403     200      200     200    200   200   GET /api/users/{self}
403     200      200     200    200   200   GET /api/users/{member}
403     404      404     404    404   404   GET /api/users/{absent}
403     200      200     200    200   200   PUT /api/users/{self} {"firstName": "New", "callStatus": true}
403     200      200     200    200   200   PUT /api/users/{self} {"lastName": "New"}
403     200      200     200    200   200   PUT /api/users/{self} {"displayName": "New"}
403     200      200     200    200   200   PUT /api/users/{self} {"avatar": "https://example.com/new.png"}
403     200      200     200    200   200   PUT /api/users/{self} {"phoneNumber": "+12025550143"}
403     403      403     403    403   200   PUT /api/users/{self} {"billingSubcription": "gold"}
403     403      403     403    403   200   PUT /api/users/{self} {"firstName": "New", "billingSubcription": "gold"}
403     403      403     403    403   200   PUT /api/users/{member} {"firstName": "New"}
403     403      403     403    403   200   PUT /api/users/{member} {"lastName": "New"}
403     403      403     403    403   200   PUT /api/users/{member} {"displayName": "New"}
403     403      403     403    403   200   PUT /api/users/{member} {"avatar": "https://example.com/new.png"}
403     403      403     403    403   200   PUT /api/users/{member} {"phoneNumber": "+12025550143"}
403     403      403     403    403   200   PUT /api/users/{member} {"billingSubcription": "gold"}
403     403      403     403    403   404   PUT /api/users/{absent} {"firstName": "New"}
403     200=     200=    200=   200=  200   PUT /api/users/{member} {"callStatus": false}
403     404      404     404    404   404   PUT /api/users/{absent} {"callStatus": false}
403     403      403     403    403   200=  PUT /api/users/{member} {"callStatus": true}
403     403      403     403    403   200   PUT /api/users/{member} {"callStatus": false, "firstName": "New"}
403     403      403     403    403   200=  PUT /api/users/{member} {}
403     200      200     200    200   200   DELETE /api/users/{self}
403     403      403     403    403   200   DELETE /api/users/{member}
403     403      403     403    403   404   DELETE /api/users/{absent}
403     200      200     200    200   200   GET /api/users/{self}/detailed
403     403      403     403    403   200   GET /api/users/{member}/detailed
403     403      403     403    403   404   GET /api/users/{absent}/detailed
403     200      200     200    200   200   GET /api/users/{self}/groupsOwned
403     403      403     403    403   200   GET /api/users/{member}/groupsOwned
403     403      403     403    403   404   GET /api/users/{absent}/groupsOwned
403     200      200     200    200   200   GET /api/users/{self}/groupsBelongedTo
403     403      403     403    403   200   GET /api/users/{member}/groupsBelongedTo
403     403      403     403    403   404   GET /api/users/{absent}/groupsBelongedTo
403     200      200     200    200   200   GET /api/users/{self}/groupsInvitedTo
403     403      403     403    403   200   GET /api/users/{member}/groupsInvitedTo
403     403      403     403    403   404   GET /api/users/{absent}/groupsInvitedTo
403     200      200     200    200   200   GET /api/users/{self}/accountBalance
403     403      403     403    403   200   GET /api/users/{member}/accountBalance
403     403      403     403    403   404   GET /api/users/{absent}/accountBalance
403     403      403     403    403   200   PUT /api/users/{self}/accountBalance {"accountBalance": "5.00"}
403     403      403     403    403   200   PUT /api/users/{member}/accountBalance {"accountBalance": "5.00"}
403     403      403     403    403   404   PUT /api/users/{absent}/accountBalance {"accountBalance": "5.00"}
403     200      200     200    200   200   GET /api/users/{self}/last4
403     403      403     403    403   200   GET /api/users/{member}/last4
403     403      403     403    403   404   GET /api/users/{absent}/last4
403     200      200     200    200   200   PUT /api/users/{self}/last4 {"last4": "1111"}
403     403      403     403    403   200   PUT /api/users/{member}/last4 {"last4": "1111"}
403     403      403     403    403   404   PUT /api/users/{absent}/last4 {"last4": "1111"}
403     200      200     200    200   200   GET /api/users/{self}/statement
403     403      403     403    403   200   GET /api/users/{member}/statement
403     403      403     403    403   404   GET /api/users/{absent}/statement
403     200      200     200    200   200   GET /api/users/{self}/phoneVerification
403     403      403     403    403   200   GET /api/users/{member}/phoneVerification
403     403      403     403    403   404   GET /api/users/{absent}/phoneVerification
403     202      202     202    202   202   POST /api/users/{self}/phoneVerification {{number}, "channel": "sms"}
403     403      403     403    403   202   POST /api/users/{member}/phoneVerification {{number}, "channel": "sms"}
403     403      403     403    403   404   POST /api/users/{absent}/phoneVerification {{number}, "channel": "sms"}
403     200      200     200    200   200   POST /api/users/{self}/phoneVerification/check {"code": "{code}"}
403     403      403     403    403   200   POST /api/users/{member}/phoneVerification/check {"code": "{code}"}
403     403      403     403    403   404   POST /api/users/{absent}/phoneVerification/check {"code": "{code}"}
403     200      200     200    200   200   DELETE /api/users/{self}/phoneVerification
403     403      403     403    403   200   DELETE /api/users/{member}/phoneVerification
403     403      403     403    403   404   DELETE /api/users/{absent}/phoneVerification
403     200      200     200    200   200   GET /api/users/{self}/export
403     403      403     403    403   200   GET /api/users/{member}/export
403     403      403     403    403   404   GET /api/users/{absent}/export
403     404      404     404    404   404   GET /api/users/{self}/export/{export}
403     403      403     403    403   200   GET /api/users/{member}/export/{export}
403     403      403     403    403   404   GET /api/users/{absent}/export/{export}
403     200      200     200    200   200   GET /api/users/{self}/notifications
403     403      403     403    403   200   GET /api/users/{member}/notifications
403     403      403     403    403   404   GET /api/users/{absent}/notifications
403     200      200     200    200   200   PUT /api/users/{self}/notifications {"push": false}
403     200      200     200    200   200   PUT /api/users/{self}/notifications {"email": false}
403     200      200     200    200   200   PUT /api/users/{self}/notifications {"sms": true}
403     403      403     403    403   200   PUT /api/users/{member}/notifications {"sms": true}
403     403      403     403    403   404   PUT /api/users/{absent}/notifications {"sms": true}

403     200      200     200    200   200   GET /api/groups
403     201      201     201    201   201   POST /api/groups {"name": "Friends"}
403     404      200     200    200   200   GET /api/groups/{group}
403     404      403     403    200   200   PUT /api/groups/{group} {"name": "New"}
403     404      403     403    200   200   PUT /api/groups/{group} {"phoneNumber": "12345"}
403     404      403     200    200   200   PUT /api/groups/{group} {"callStatus": true}
403     404      403     403    200   200   PUT /api/groups/{group} {"callStatus": true, "name": "New"}
403     404      403     403    200   200   PUT /api/groups/{group} {"callStatus": true, "phoneNumber": "12345"}
403     404      403     403    200   200   DELETE /api/groups/{group}
403     404      200     200    200   200   GET /api/groups/{group}/callStatus
403     404      403     200    200   200   PUT /api/groups/{group}/callStatus {"callStatus": true}
403     404      403     200    200   200   GET /api/groups/{group}/call
403     404      403     403    200   200   PUT /api/groups/{group}/call {"locked": true}
403     404      403     403    200   200   DELETE /api/groups/{group}/call/unknownCallers
403     404      403     200    200   200   GET /api/groups/{group}/call/endWhenAlone
403     404      403     403    200   200   PUT /api/groups/{group}/call/endWhenAlone {"endWhenAlone": false}
403     404      403     200    200   200   GET /api/groups/{group}/call/language
403     404      403     403    200   200   PUT /api/groups/{group}/call/language {"language": "de-DE"}
403     404      200     200    200   200   GET /api/groups/{group}/activities
403     404      201     201    201   201   POST /api/groups/{group}/activities {"userId": "{self}", "activity": "x"}
403     404      403     403    403   201   POST /api/groups/{group}/activities {"userId": "{member}", "activity": "x"}
403     404      403     403    403   404   POST /api/groups/{group}/activities {"userId": "{absent}", "activity": "x"}
403     404      200     200    200   200   GET /api/groups/{group}/callParticipants
403     404      403     201    201   201   POST /api/groups/{group}/callParticipants {"userId": "{self}"}
403     404      403     403    403   201   POST /api/groups/{group}/callParticipants {"userId": "{owner}"}
403     404      403     403    403   404   POST /api/groups/{group}/callParticipants {"userId": "{absent}"}
403     404      403     403    200   200   PUT /api/groups/{group}/callParticipants/{member} {"muted": true}
403     404      403     409    409   409   PUT /api/groups/{group}/callParticipants/{self} {"muted": true}
403     404      403     403    404   404   PUT /api/groups/{group}/callParticipants/{absent} {"muted": true}
403     404      403     403    200   200   DELETE /api/groups/{group}/callParticipants
403     404      403     200=   200=  200=  DELETE /api/groups/{group}/callParticipants/{self}
403     404      403     403    200   200   DELETE /api/groups/{group}/callParticipants/{member}
403     404      403     403    200=  200=  DELETE /api/groups/{group}/callParticipants/{absent}
403     404      200     200    200   200   GET /api/groups/{group}/groupOwners
403     404      200     200    200   200   GET /api/groups/{group}/groupOwners/detailed
403     404      403     403    200=  201   POST /api/groups/{group}/groupOwners {"userId": "{self}"}
403     404      403     403    201   201   POST /api/groups/{group}/groupOwners {"userId": "{member}"}
403     404      403     403    409   201   POST /api/groups/{group}/groupOwners {"userId": "{invitee}"}
403     404      403     403    409   201   POST /api/groups/{group}/groupOwners {"userId": "{stranger}"}
403     404      403     403    404   404   POST /api/groups/{group}/groupOwners {"userId": "{absent}"}
403     404      403     403    200   200=  DELETE /api/groups/{group}/groupOwners/{self}
403     404      403     403    200   200   DELETE /api/groups/{group}/groupOwners/{owner}
403     404      403     403    200=  200=  DELETE /api/groups/{group}/groupOwners/{absent}
403     404      200     200    200   200   GET /api/groups/{group}/groupMembers
403     404      200     200    200   200   GET /api/groups/{group}/groupMembers/detailed
403     404      201     200=   200=  201   POST /api/groups/{group}/groupMembers {"userId": "{self}"}
403     404      403     403    403   200=  POST /api/groups/{group}/groupMembers {"userId": "{member}"}
403     404      403     403    403   201   POST /api/groups/{group}/groupMembers {"userId": "{invitee}"}
403     404      403     403    403   201   POST /api/groups/{group}/groupMembers {"userId": "{stranger}"}
403     404      403     403    403   404   POST /api/groups/{group}/groupMembers {"userId": "{absent}"}
403     404      403     200    200   200=  DELETE /api/groups/{group}/groupMembers/{self}
403     404      403     403    200   200   DELETE /api/groups/{group}/groupMembers/{member}
403     404      403     403    200=  200=  DELETE /api/groups/{group}/groupMembers/{absent}
403     404      200     200    200   200   GET /api/groups/{group}/groupInvitees
403     404      200     200    200   200   GET /api/groups/{group}/groupInvitees/detailed
403     404      403     403    200=  201   POST /api/groups/{group}/groupInvitees {"userId": "{self}"}
403     404      403     403    200=  200=  POST /api/groups/{group}/groupInvitees {"userId": "{member}"}
403     404      403     403    200=  200=  POST /api/groups/{group}/groupInvitees {"userId": "{invitee}"}
403     404      403     403    201   201   POST /api/groups/{group}/groupInvitees {"userId": "{stranger}"}
403     404      403     403    404   404   POST /api/groups/{group}/groupInvitees {"userId": "{absent}"}
403     404      200     200=   200=  200=  DELETE /api/groups/{group}/groupInvitees/{self}
403     404      403     403    200   200   DELETE /api/groups/{group}/groupInvitees/{invitee}
403     404      403     403    200=  200=  DELETE /api/groups/{group}/groupInvitees/{absent}
403     404      403     403    200   200   GET /api/groups/{group}/invitationLinks
403     404      403     403    201   201   POST /api/groups/{group}/invitationLinks {"maxUses": 3}
403     404      403     403    200   200   DELETE /api/groups/{group}/invitationLinks/{link}
403     200      200     200=   200=  200   POST /api/groups/invitations/{token}/accept
403     200      200     200=   200=  200   POST /api/groups/invitations/{token}/accept {"userId": "{self}"}
403     403      403     403    403   403   POST /api/groups/invitations/{token}/accept {"userId": "{absent}"}
403     403      403     403    403   403   POST /api/groups/invitations/{token}/accept {"userId": "{stranger}"}

403     200      200     200    200   200   GET /api/live
403     201      201     201    201   201   POST /api/live/tickets

403     404      403     200    200   200   GET /api/groups/{group}/dialIn
403     404      403     200    200   400   POST /api/groups/{group}/dialIn/pin {}
403     404      403     202=   202=  202=  POST /api/groups/{group}/ring {"userIds": ["{member}"]}
403     404      403     200    200   200   GET /api/groups/{group}/captions
403     404      403     200    200   200   PUT /api/groups/{group}/captions {"on": true}
403     404      403     200    200   200   PUT /api/groups/{group}/captions {"language": "de-DE"}
403     404      403     403    200   200   PUT /api/groups/{group}/captions {"keep": false}
403     404      403     403    200   200   PUT /api/groups/{group}/captions {"keep": false, "on": true}
403     404      403     201    201   201   POST /api/groups/{group}/spokenMessages {"text": "Hello"}
403     404      403     400    400   400   POST /api/groups/{group}/ring {"userIds": ["{absent}"]}

403     200      200     200    200   200   GET /api/voice/accessToken
403     201      201     201    201   201   POST /api/voice/registerBinding {"identity": "u_{self}", "Address": "x"}
403     201      201     201    201   201   POST /api/voice/register-binding {"identity": "u_{member}", "Address": "x"}
403     200=     200=    200=   200=  200=  DELETE /api/voice/registerBinding {"endpoint": "nobody's"}
403     200=     200=    200=   200=  200=  DELETE /api/voice/register-binding {"Address": "x"}
403     404      403     200=   200=  200=  POST /api/voice/sendNotification {"groupId": "{group}"}
403     404      403     200=   200=  200=  POST /api/voice/send-notification {"FriendlyName": "{group}"}
403     404      403     200=   200=  200=  POST /api/billing/groupTwilioCharges {"groupId": "{group}"}
403     403      403     403    403   200   GET /api/billing/allTwilioCharges

403     200      200     200    200   200   POST /api/billing/addMoney {"userId": "{self}", "amountToAdd": 5}
403     403      403     403    403   200   POST /api/billing/addMoney {"userId": "{member}", "amountToAdd": 5}
403     403      403     403    403   404   POST /api/billing/addMoney {"userId": "{absent}", "amountToAdd": 5}
403     200      200     200    200   200   POST /api/billing/updateCreditCard {"userId": "{self}", {card}}
403     403      403     403    403   200   POST /api/billing/updateCreditCard {"userId": "{member}", {card}}
403     403      403     403    403   404   POST /api/billing/updateCreditCard {"userId": "{absent}", {card}}
403     200      200     200    200   200   POST /api/billing/attachSourceToCustomer {{self_pays}, {card}}
403     403      403     403    403   200   POST /api/billing/attachSourceToCustomer {{member_pays}, {card}}
403     403      403     403    403   404   POST /api/billing/attachSourceToCustomer {{absent_pays}, {card}}
403     200      200     200    200   200   POST /api/billing/updateDefaultSource {{self_pays}, {card}}
403     403      403     403    403   200   POST /api/billing/updateDefaultSource {{member_pays}, {card}}
403     403      403     403    403   404   POST /api/billing/updateDefaultSource {{absent_pays}, {card}}
403     200      200     200    200   200   POST /api/billing/createCharge {"amountToAdd": 500, {self_pays}}
403     403      403     403    403   200   POST /api/billing/createCharge {"amountToAdd": 500, {member_pays}}
403     403      403     403    403   404   POST /api/billing/createCharge {"amountToAdd": 500, {absent_pays}}
403     200=     200=    200=   200=  200=  POST /api/billing/retrieveCustomerDefaultSource {{self_pays}}
403     403      403     403    403   200=  POST /api/billing/retrieveCustomerDefaultSource {{member_pays}}
403     403      403     403    403   404   POST /api/billing/retrieveCustomerDefaultSource {{absent_pays}}
403     200=     200=    200=   200=  200=  POST /api/billing/userStripeCharges {{self_pays}}
403     403      403     403    403   200=  POST /api/billing/userStripeCharges {{member_pays}}
403     403      403     403    403   404   POST /api/billing/userStripeCharges {{absent_pays}}

403     200=     200=    200=   200=  200=  POST /api/upload {"image": "a photo"}
"""

PUBLIC = """
200 GET /
200 GET /healthz
200 GET /readyz
200 GET /api/schema
200 GET /api/docs
200 GET /media/{name}
200 GET /api/groups/invitations/{token}
302 GET /admin
302 GET /admin/
403 GET /api/voice/makeCall
403 POST /api/voice/makeCall
403 POST /api/voice/dialIn
403 POST /api/voice/dialIn/pin
403 POST /api/voice/ringAnswer
403 POST /api/voice/keypad
403 POST /api/voice/conferenceEvents
403 POST /api/voice/callEvents
403 POST /api/voice/captionEvents
403 POST /api/voice/announcement
400 POST /api/billing/stripeWebhook
400 GET /api/users/unsubscribe
400 POST /api/users/unsubscribe
"""
"""The same answer to everybody, whatever their token: webhooks are let in by their sender's signature alone, the page
of who wants no more e-mails by its own, and the admin has a sign-in of its own."""
