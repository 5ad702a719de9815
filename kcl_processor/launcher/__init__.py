"""The Java launcher: its sources, its jar manifest, and the jars once built."""
