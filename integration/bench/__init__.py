"""The benchmark: our daemon, and any other beside it, on the load of the simulator.

`scripts/bench` runs it; `scenarios` says what is measured, `runs` and `usage` how.
"""
