"""Run the command line as ``python -m simulator``."""

from simulator.cli.entry import main

if __name__ == "__main__":
    main()
