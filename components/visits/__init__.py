"""The visits page: every app server stores and reads visits in the database. Pure but for
`component`.

`guest/` is the small service on the app servers, behind their nginx; it talks to the write endpoint
of the VIP, so a page goes through the whole chain of the course's diagram.
"""
