"""Numbers of variable length, seven bits an octet, the low ones first (Protocol Buffers, Snappy). Pure."""


def varint(number: int) -> bytes:
    """Return a number that is not negative."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
