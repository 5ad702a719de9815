"""Whole tables: made ready, copied before the stream is read, compared, repaired, replayed.

``table_copy`` and ``compare`` are the two engines, ``copy_task`` and ``verify_task`` what a command
starts, and ``crew`` the processes in between, each of which does a ``copy_share`` or a
``verify_share``. Both read by ``table_reader`` through ``patience``, which repeats a call at a
pace until it is answered. Under rules ``copy_laying`` makes of what was read what is written, and
``laid_reader`` and ``sides`` show a comparison the source's items under the destination's keys.
"""
