"""The applier: carries out one specification on a machine: packages, files, units, checks.

The ready step installs this package beside /usr/local/lib/ha-lab/apply.py (see `install`), which
root runs with a JSON specification on stdin (see components/remote/spec.py). Standard library only,
Python 3.9 or later (Rocky Linux 9).

It is idempotent: what is already right is left alone, and only a file that really changed reloads
or restarts a unit. It is careful: a file is written beside the old one and validated there; when a
validation or a reload fails, every file of the specification gets its old content back. What it did
is recorded under /var/lib/ha-lab/applied, so that drift can be told from intent, and that what a
killed run had begun is finished by the next one.

Exit status 0: as specified. 1: not possible, the reason is on stderr. It prints no file contents.
"""
