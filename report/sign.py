"""Signs a PDF by PAdES with a key from PKCS#12. The only module that knows pyHanko.

The signature is an incremental update: the bytes of the report stay as they are, in front of it. Its field lies in
the box of the cover and has no picture of its own, so that no font comes in that is not embedded.
"""

import io
import logging
from dataclasses import dataclass

from pydantic import SecretStr

from siaga.errors import InvalidError, SiagaError
from siaga.text import safe

FIELD = "Kepala"
_MM = 72 / 25.4
# Of the cover, from its lower left corner, in points: left, foot, right, top.
BOX = (round(104 * _MM), round(34 * _MM), round(188 * _MM), round(58 * _MM))


@dataclass(frozen=True)
class Signature:
    """What a signature says beside the name in the certificate."""

    reason: str = ""
    place: str = ""


def signed(pdf: bytes, key: bytes, passphrase: SecretStr, about: Signature) -> bytes:
    """Return the PDF with a signature added.

    Raises InvalidError (`bad-key`: wrong passphrase or no PKCS#12; `not-a-pdf`; `signed-already`), SiagaError
    (`not-installed`).
    """
    try:
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.pdf_utils.misc import PdfReadError
        from pyhanko.sign import fields, signers
    except ImportError:
        sentence = "Signing needs pyHanko: install siaga with its extra, siaga[sign]."
        raise SiagaError("not-installed", sentence) from None
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # it logs what we say in one sentence
    try:
        signer = signers.SimpleSigner.load_pkcs12_data(key, other_certs=[], passphrase=_bytes(passphrase))
    except (ValueError, TypeError, OSError):
        signer = None  # pyHanko says so itself for some files, and raises for others
    if signer is None:
        sentence = "The key cannot be opened: it is no PKCS#12 file, or the passphrase is another one."
        raise InvalidError("bad-key", sentence)
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        if FIELD in [name for name, _, _ in fields.enumerate_sig_fields(writer)]:
            raise InvalidError(
                "signed-already", "This PDF carries a signature already; sign the report itself."
            )
        fields.append_signature_field(writer, fields.SigFieldSpec(FIELD, on_page=0, box=BOX))
        meta = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            reason=safe(about.reason, 200) or None,
            location=safe(about.place, 100) or None,
        )
        made = signers.PdfSigner(meta, signer).sign_pdf(writer)
    except PdfReadError as error:
        raise InvalidError(
            "not-a-pdf", f"The file is no PDF that can be signed: {safe(error, 160)}."
        ) from None
    return bytes(made.getbuffer())


def _bytes(passphrase: SecretStr) -> bytes | None:
    return passphrase.get_secret_value().encode() or None
