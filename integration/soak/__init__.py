"""The soak: a fleet under faults of every kind at random times, for as long as one likes.

`scripts/soak` runs it; `weather` says what can happen and draws a plan from a seed, `strikes` makes
it happen, `judge` says what was lost.
"""
