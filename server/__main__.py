"""What an operator can say: serve · demo · migrate · import · check · set-password."""

import argparse
import sys


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lanyard", description="The school duty record that never loses a note.")
    parser.parse_args(words)
    parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())
