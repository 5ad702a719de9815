"""A task checked, claimed and started.

``preflight`` looks at both tables, ``identity`` at whose checkpoints there are, and ``daemon`` puts
the command line together that ``kcl-processor run`` becomes. ``service_units`` writes what starts
it again.
"""
