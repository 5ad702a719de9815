"""A task, in each of its forms: as YAML, as the original library's flags, as ``.properties``.

``task`` says what one is; ``yaml_file`` and ``original_flags`` make it, ``render`` writes it for
KCL and ``settings`` reads it back in a record processor. ``paths`` names its files on a host.
"""
