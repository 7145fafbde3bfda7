# SPDX-License-Identifier: BSD-3-Clause
"""``python -m kame_py ...`` is ``kame ...``."""

import sys

from kame_py.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
