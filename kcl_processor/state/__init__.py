"""What a task leaves on its host: heartbeats, gaps, dead letters, locks.

``durable`` is how anything is written. Several processes write and read here at once and each may
be killed at any moment, so a line is appended whole and a file replaced whole.
"""
