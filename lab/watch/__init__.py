"""A live view of a lab: who owns what, what clients get, what each machine says of itself.

`model` is what a tier adds (its rows), `registry` which rows there are, `stream` one program that
keeps talking on each machine, `view` the frame, `command` the loop. It changes nothing.
"""
