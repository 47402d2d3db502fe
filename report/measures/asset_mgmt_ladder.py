"""SUP-KEB-02: ICT assets managed by a guideline: the inventory, disposals, whose assets are booked."""

from report.assessment import Reading
from report.measures import inventory_complete_pct
from report.needs import Term
from report.questions import Questions
from report.readings import ladder, said
from report.records import Agency, Asset
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the completeness of the inventory, and what the asset books show beside it."""
    base = inventory_complete_pct.measure(ask, limits)
    assets = ask.every(Asset) or ()
    opd = {a.name for a in ask.every(Agency) or () if a.kind == "opd"}
    terms: dict[str, Term] = {
        "inventory_complete_pct": base.value,
        "disposals_recorded": any(a.status == "disposed" for a in assets) if assets else None,
        "all_opd_in_register": opd <= {a.agency for a in assets} if assets and opd else None,
    }
    return ladder(base.value, terms, base=base, note="" if assets else said("no-assets"))
