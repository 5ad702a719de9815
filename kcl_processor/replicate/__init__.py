"""The record's way through a child process: one shard of the stream in, the table's writes out.

Read ``processor`` first, then the stages in their order: ``decode``, ``coalesce``, ``write``,
``checkpoint``. ``entry`` begins the process, ``child`` is it, ``shard`` the wiring; the rest is
what the stages lean on.
"""
