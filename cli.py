"""The roof."""


def main() -> None:
    """Run."""
