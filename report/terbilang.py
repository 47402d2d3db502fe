"""Numbers in Indonesian words (terbilang), as government documents write dates and sums."""

_UNITS = (
    "",
    "satu",
    "dua",
    "tiga",
    "empat",
    "lima",
    "enam",
    "tujuh",
    "delapan",
    "sembilan",
    "sepuluh",
    "sebelas",
)
_POWERS = (
    (10**12, "triliun"),
    (10**9, "miliar"),
    (10**6, "juta"),
    (10**3, "ribu"),
    (100, "ratus"),
    (10, "puluh"),
)
LIMIT = 10**15


def terbilang(number: int) -> str:
    """Return 2026 as `dua ribu dua puluh enam`; raises ValueError below zero and from 10^15 on."""
    if not 0 <= number < LIMIT:
        raise ValueError(f"{number} cannot be written in words")
    return _words(number) or "nol"


def _words(number: int) -> str:
    if number < len(_UNITS):
        return _UNITS[number]
    if number < 20:
        return f"{_UNITS[number - 10]} belas"
    size, name = next((s, n) for s, n in _POWERS if number >= s)
    many, rest = divmod(number, size)
    # One hundred and one thousand have words of their own; one million has not.
    head = f"se{name}" if many == 1 and size in (100, 1000) else f"{_words(many)} {name}"
    return f"{head} {_words(rest)}".strip()
