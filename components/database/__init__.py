"""PostgreSQL and MariaDB, each a primary and its replica, with endpoints that follow the primary.

`args` says what is to be, `postgresql/` renders it, `roles` the role service that every database
machine has, and `guest/` is the program on the machines. Pure but for `component`.

Who is primary is never part of it: a lab that comes up makes the first primary, and from then on
the machines know. So a second `up` changes nothing, whoever was promoted meanwhile.
"""
