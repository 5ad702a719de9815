"""The Java that joins KCL's MultiLangDaemon with the Streams adapter, and what finds and builds it.

Start with ``src/io/github/kclprocessor/launcher/package-info.java``. ``jars`` checks what is on the
class path, ``java`` finds a runtime, ``build`` compiles.
"""
