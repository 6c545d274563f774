"""`python -m srcgrad`: the command `srcgrad`."""

from __future__ import annotations

import sys

from srcgrad.terminal.command import main as main

if __name__ == "__main__":
    sys.exit(main())
