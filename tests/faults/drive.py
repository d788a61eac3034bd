"""The command line in a process that knows the misbehaving policy: python -m tests.faults.drive."""

import os
import sys

if __name__ == "__main__":
    try:
        import tests.faults.bombs  # noqa: F401 - registers
        from simulator.cli.entry import main
        from tests.faults.running import LOST, PLAIN

        if PLAIN in os.environ:
            from simulator.sweeps import pictures

            pictures.MOST_POINTS = 0  # type: ignore[misc]
    except KeyboardInterrupt:
        sys.exit("interrupted before it began")
    if "SOON_LOST" in os.environ:
        os.environ[LOST] = "1"  # for the workers
    main()
