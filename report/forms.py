"""The forms of a report, by the ending of the file: all are made of the same JSON and say the same."""

from report.render import as_pdf

FORMS = (".pdf", ".html", ".xlsx", ".zip", ".json")


def made(suffix: str, document: bytes, pdfa: str = "") -> bytes:
    """Return a report's JSON in another form: PDF, one HTML file, a workbook, or a ZIP of CSV files."""
    if suffix == ".html":
        from report.html import as_html

        return as_html(document)
    if suffix == ".xlsx":
        from report.xlsx import as_xlsx

        return as_xlsx(document)
    if suffix == ".zip":
        from report.csvs import as_zip

        return as_zip(document)
    return as_pdf(document, pdfa) if suffix == ".pdf" else document
