"""Is the lab whole, and is it still what Pulumi made: audits and drift, in seconds.

`report` is what a check gives, `drift` asks one machine, `check` asks everything at once, `plans`
knows from Pulumi's state what should have been applied where, `show` is for people.
"""
