"""``python -m kcl_processor`` is ``kcl-processor``."""

from kcl_processor.cli import main

if __name__ == "__main__":
    main()
