"""What watches the lab from outside while it breaks: one module for each kind of look.

`http`, `arp` and `address` are the probes of the load balancers; `numbered` and `sampled` what the
probes of the other tiers are made of. `process` starts a prober, the process that does the looking;
`client` is that process, around the loop of `prober`. `wall_clock` watches this host.
"""
