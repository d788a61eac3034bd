"""The command line in a process that knows the misbehaving policy: python -m tests.faults.drive."""

import tests.faults.bombs  # noqa: F401 - registers
from simulator.cli.entry import main

if __name__ == "__main__":
    main()
