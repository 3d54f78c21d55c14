"""Break the lab on purpose and measure what a client suffers.

`events` and `history` are what is written down, `model` what a tier registers (faults, probes,
audits), `tiers/` the tiers themselves, `scene` what a fault, a probe or an audit works with,
`control/` power and links, `probes/` what watches, `run` the order of one drill, `verdict` the
judgement of a history (pure), `report/` how it is shown.

Nothing here configures anything: the lab is put right by Pulumi alone.
"""
