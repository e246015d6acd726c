"""``python -m hsds`` is the command ``hsds``."""

import sys

from hsds.cli import main

if __name__ == "__main__":
    sys.exit(main())
