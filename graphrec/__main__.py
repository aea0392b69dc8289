"""`python -m graphrec` is the command `graphrec`."""

from importlib import import_module

if __name__ == "__main__":
    import_module("graphrec.scripts").main()  # a package that exists only once installed, see pyproject.toml
