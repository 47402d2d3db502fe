"""SUP-PEL-01: audits of infrastructure and security: planned, by our own auditors, by certified ones, acted upon."""

from report.assessment import Reading
from report.papers import ids, kept, valid
from report.questions import Questions
from report.readings import ladder, said, unknown
from report.rubric import Limits

KINDS = ("rencana_audit", "laporan_audit_internal", "laporan_audit_eksternal", "tindak_lanjut_audit")


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return how many kinds of documents of audits are on file; the ladder is on the documents themselves."""
    if not kept(ask):
        return unknown("tingkat", said("empty-register-all"))
    papers = [p for kind in KINDS for p in list(valid(ask, kind))[:1]]
    return ladder(len(papers), {"papers": len(papers)}, evidence=ids(papers))
