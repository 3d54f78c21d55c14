"""Exercises: a person breaks the lab by hand; this package only watches, times and writes a report.

`model` is what an exercise consists of, `failover` the course's own one as data, `hands` the
commands that a person types for one stack. `progress` and `signs` decide what was seen and when it
began (pure), `watching` takes one step, `session` a whole exercise, `report` the student's report.

Nothing here breaks or configures anything. Measuring and judging are the drill's (`lab.drill`).
"""
