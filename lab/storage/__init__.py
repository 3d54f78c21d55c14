"""`lab storage`: see and mend the shared storage of a lab that is up, with Gluster on its servers.

`state` reads what a server says (pure), `operate` asks and acts, `show` prints.
"""
