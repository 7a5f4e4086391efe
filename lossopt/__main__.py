"""``python -m lossopt``, the same as ``lossopt``."""

from __future__ import annotations

import sys

from lossopt.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
