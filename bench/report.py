"""What the whole readiness report costs: 400 sites, 90 days, in a process of its own.

    python -m bench.report [--sites 400] [--days 90] [--home DIR]

Reading and judging, computing, typesetting, the page and the workbook apart, in CPU seconds of one core; memory is the
greatest size of the process. The home is that of bench.readiness, whose traffic is synthetic.
"""

import os
import resource
import time
from pathlib import Path
from typing import Any

from bench.readiness import DAY_MS, T0_MS, run, time_of


def measured(home: Path, days: int) -> dict[str, Any]:
    """Make the report of the period in this process and say what each step cost."""
    os.environ["SIAGA_HOME"] = str(home)
    from monitor.samples import open_samples
    from report.html import as_html
    from report.periods import Period
    from report.readiness import build
    from report.render import as_json, as_pdf
    from report.service import Order, gathered
    from report.xlsx import as_xlsx
    from siaga.settings import Settings

    settings = Settings(home=home)
    period = Period(time_of(T0_MS), time_of(T0_MS + days * DAY_MS), "bench")
    took: dict[str, Any] = {}
    began = time.process_time()

    def lap(name: str) -> None:
        nonlocal began
        now = time.process_time()
        took[f"{name}_s"], began = round(now - began, 2), now

    with open_samples(home) as samples:
        matter = gathered(settings, samples, period, Order((Path("r.pdf"),)), "id", period.until)
    lap("read_and_judge")
    document = as_json(build(matter, now=period.until))
    lap("compute")
    pdf = as_pdf(document)
    lap("typeset")
    took["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    page, book = as_html(document), as_xlsx(document)
    lap("page_and_workbook")
    sizes = {"pdf_kb": len(pdf), "json_kb": len(document), "html_kb": len(page), "xlsx_kb": len(book)}
    return {**took, **{name: size // 1000 for name, size in sizes.items()}}


def document_of(home: Path, days: int) -> bytes:
    """Return readiness.json of the period, computed from a home of bench.readiness."""
    os.environ["SIAGA_HOME"] = str(home)
    from monitor.samples import open_samples
    from report.periods import Period
    from report.readiness import build
    from report.render import as_json
    from report.service import Order, gathered
    from siaga.settings import Settings

    period = Period(time_of(T0_MS), time_of(T0_MS + days * DAY_MS), "bench")
    with open_samples(home) as samples:
        matter = gathered(Settings(home=home), samples, period, Order((Path("r.pdf"),)), "id", period.until)
    return as_json(build(matter, now=period.until))


if __name__ == "__main__":
    run("bench.report", measured)
