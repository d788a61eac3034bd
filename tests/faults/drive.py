"""The command line in a process that knows the misbehaving policy: python -m tests.faults.drive."""

import os
import sys

if __name__ == "__main__":
    try:
        import tests.faults.bombs  # noqa: F401 - registers
        from simulator.cli.entry import main
        from tests.faults.running import LOST
    except KeyboardInterrupt:
        sys.exit("interrupted before it began")
    if "SOON_LOST" in os.environ:
        os.environ[LOST] = "1"  # for the workers
    main()
