"""The readiness report's pages by WeasyPrint, beside ours: what HTML and CSS cost for the same document.

    python -m bench.weasyprint_report --weasyprint VENV [--sites 400] [--days 90] [--home DIR]

VENV is a virtual environment with WeasyPrint (python -m venv VENV; VENV/bin/pip install weasyprint); siaga does
not use it. Both are given the same computed report, each in a process of its own: Typst its JSON, WeasyPrint the HTML
file with its print style sheet. Both are asked for a tagged PDF/UA-1. CPU seconds of all threads, the greatest size.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.readiness import record, watch
from bench.report import document_of

WEASYPRINT = """
import sys
from weasyprint import HTML
with open(sys.argv[2], "wb") as out:
    out.write(HTML(filename=sys.argv[1]).write_pdf(pdf_variant="pdf/ua-1"))
"""
TYPST = """
import sys
from pathlib import Path
from report.render import as_pdf
Path(sys.argv[2]).write_bytes(as_pdf(Path(sys.argv[1]).read_bytes()))
"""

# Not ru_maxrss: a process begins with that of the one which started it.
PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"


def typeset(name: str, python: str, code: str, given: Path, made: Path) -> None:
    """Run one of the two in a process of its own, and print what it cost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    timed = f"{code}\n{PEAK}"
    run = subprocess.run(
        [python, "-c", timed, str(given), str(made)], check=True, capture_output=True, text=True
    )
    wall_s = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    row = {
        "by": name,
        "cpu_s": round(cpu_s, 2),
        "wall_s": round(wall_s, 2),
        "peak_mb": int(run.stdout.split()[-1]) // 1024,
        "pages": pages(made),
        "pdf_kb": made.stat().st_size // 1000,
    }
    print(json.dumps(row), flush=True)


def pages(pdf: Path) -> int:
    """Return how many pages a PDF has, as poppler counts them."""
    said = subprocess.run(["pdfinfo", str(pdf)], check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[1]) for line in said.splitlines() if line.startswith("Pages:"))


def main() -> None:
    """Make the home if there is none, compute the report once, and typeset it by both."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--weasyprint", type=Path, required=True, help="a virtual environment with WeasyPrint"
    )
    parser.add_argument("--sites", type=int, default=400)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--home", type=Path, help="keep the home here, and use it again")
    order = parser.parse_args()
    from report.html import as_html

    with tempfile.TemporaryDirectory() as folder:
        home, place = order.home or Path(folder) / "home", Path(folder)
        if not home.exists():
            known = record(home, order.sites)
            watch(home, sorted(known.values()), order.days)
        document = document_of(home, order.days)
        (place / "r.json").write_bytes(document)
        (place / "r.html").write_bytes(as_html(document))
        typeset("siaga (Typst)", sys.executable, TYPST, place / "r.json", place / "typst.pdf")
        by = str(order.weasyprint / "bin" / "python")
        typeset("WeasyPrint", by, WEASYPRINT, place / "r.html", place / "weasyprint.pdf")


if __name__ == "__main__":
    main()
