"""Where the command ``fleetsim`` begins: whoever interrupts it early gets one line as well."""

import sys
from typing import Final, NoReturn

INTERRUPTED: Final = 130


def main() -> NoReturn:
    """Import the command line and run it."""
    try:
        from simulator.cli.app import main as run
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        sys.exit(INTERRUPTED)
    run()
