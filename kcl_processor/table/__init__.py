"""Whole tables: made ready, copied before the stream is read, compared and repaired at any time."""
