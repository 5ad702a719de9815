"""A task checked, claimed and started.

``preflight`` looks at both tables, ``claim`` at whose checkpoints there are (an ``identity`` is of
tables in their ``incarnation``), ``copy_mark`` at whether a copy is whole, and ``daemon`` puts the
command line together that ``kcl-processor run`` becomes, of the jars that ``checked`` compares;
``patience`` waits for credentials.
``service_units`` writes what starts it again.
"""
