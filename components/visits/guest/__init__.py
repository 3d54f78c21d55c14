"""The visits page on an app server: `lab-visits CONFIG`, an HTTP service for its own nginx alone.

`GET` reads the visits and changes nothing, so it may be repeated; `POST` stores one. While the
database does not answer both say so with 503 and the reason, within a bounded time. `store` talks
to the database, `page` decides what is answered (pure), `main` serves. Standard library and the
distribution's drivers only; Python 3.9 or later.
"""
