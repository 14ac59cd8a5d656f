"""`python -m sandbox` runs the company."""

from sandbox.program import main

if __name__ == "__main__":
    main()
