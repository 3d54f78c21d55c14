"""The judgement of a history, in parts: clients, VIP owners, writes, roles, rules, summary.

All of it is pure: the same events in any order give the same verdict, at any time.
"""
