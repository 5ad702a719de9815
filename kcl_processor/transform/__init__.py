"""What the replica holds of an item: part of it, under other names and keys, or nothing.

``rules`` are as the YAML has them, ``transform`` applies them to an item. ``expression`` is
JMESPath over items, of ``jmes_grammar`` and ``jmes_functions``; ``function`` is a rule in Python,
``values`` what both see of DynamoDB's types. Rules are pure: the same item always comes to the
same, and so a stream, a copy and a comparison agree.
"""
