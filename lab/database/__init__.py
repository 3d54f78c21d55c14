"""`lab db`: what the databases of a lab are, and changes of role on request.

`model` is what is known of one engine, `decide` what may be done with that and what not (both
pure), `read` asks the machines, `ledger` remembers promotions on all of them, and `switchover`,
`promote` and `rejoin` are the acts, as sequences of steps of the machines' own program
(components/database/guest).
"""
