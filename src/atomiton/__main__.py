"""``python -m atomiton``: the command line."""

from atomiton.cli import main

if __name__ == "__main__":
    main()
