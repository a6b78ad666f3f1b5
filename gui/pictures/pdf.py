"""PDF: vectors and embedded fonts, a page for each picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import ceil
from xml.sax.saxutils import escape, quoteattr

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSizeF
from PySide6.QtGui import QGuiApplication, QPageSize, QPainter, QPdfWriter

from gui.pictures import Encoding, Picture, PictureFormat, Several, said_of

__all__ = ["FORMAT"]

POINTS = 72  # to an inch
LARGEST = 14_400.0  # points of a side: what ISO 32000-1, annex C, lets readers end at
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:backstep="urn:backstep" xmp:CreatorTool={software}>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>
{pairs}
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint pictures onto pages of their sizes; see `Encoding`."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    dots = QGuiApplication.primaryScreen().logicalDotsPerInch()  # by which everything has been laid out
    said = said_of(pictures)
    description = pictures[0].description if len(pictures) == 1 else ""
    writer = QPdfWriter(buffer)
    writer.setResolution(round(dots))
    writer.setDocumentXmpMetadata(_xmp(said, description).encode())
    _set_page(writer, pictures[0].size, dots)
    painter = QPainter(writer)
    try:
        for number, picture in enumerate(pictures, 1):
            if number > 1:
                _set_page(writer, picture.size, dots)
                writer.newPage()
            painter.save()
            if picture.background is not None:
                painter.fillRect(QRectF(0, 0, writer.width(), writer.height()), picture.background)
            scale = _scale(picture.size, dots)
            painter.scale(scale, scale)
            picture.paint(painter)
            painter.restore()
            yield number
    finally:
        painter.end()
    buffer.close()
    return _with_info(bytes(data.data()), {"Subject": description, **said})


def _scale(size: QSizeF, dots: float) -> float:
    """Return by how much a picture is made smaller to fit the largest page that readers know."""
    return min(1.0, LARGEST / (max(size.width(), size.height()) * POINTS / dots))


def _set_page(writer: QPdfWriter, size: QSizeF, dots: float) -> None:
    """Let the next page be as large as a picture, in whole points, as Qt has no others."""
    share = POINTS / dots * _scale(size, dots)
    sides = QSizeF(*(ceil(side * share - 1e-6) for side in (size.width(), size.height())))
    exact = QPageSize.SizeMatchPolicy.ExactMatch
    writer.setPageSize(QPageSize(sides, QPageSize.Unit.Point, "", exact))
    writer.setPageMargins(QMarginsF())


# --- what the file says about itself -----------------------------------------------------------------------


def _xmp(said: Mapping[str, str], description: str) -> str:
    pairs = [(re.sub(r"\W", "", key), escape(text)) for key, text in said.items()]
    return XMP.format(
        software=quoteattr(said.get("Software", "")),
        title=escape(said.get("Title", "")),
        description=escape(description),
        pairs="\n".join(f"<backstep:{key}>{text}</backstep:{key}>" for key, text in pairs),
    )


_TRAILER = re.compile(rb"trailer\s*<<\s*/Size (\d+)\s*/Info (\d+) 0 R\s*/Root (\d+) 0 R\s*(/ID \[.*?\])?\s*>>"
                      rb"\s*startxref\s*(\d+)\s*%%EOF\s*\Z", re.DOTALL)  # fmt: skip


def _with_info(data: bytes, said: Mapping[str, str]) -> bytes:
    """Add an incremental update (ISO 32000-1, 7.5.6) that puts every pair among the document's information.

    Qt can write but a title and a creator. Where its trailer is not the one known, the file stays as it is.
    """
    trailer = _TRAILER.search(data)
    if trailer is None:
        return data
    size, info, root, identity, previous = trailer.groups()
    keys = {"Software": "Creator"}
    pairs = [b"/%s %s" % (_name(keys.get(key, key)), _string(text)) for key, text in said.items()]
    old = re.search(rb"\n%s 0 obj\s*<<(.*?)>>\s*endobj" % info, data, re.DOTALL)
    kept = re.findall(rb"/(?:Producer|CreationDate|ModDate) \((?:[^()\\]|\\.)*\)", old[1]) if old else []
    body = b"\n%s 0 obj\n<<\n%s\n>>\nendobj\n" % (info, b"\n".join([*pairs, *kept]))
    place, table = len(data) + 1, len(data) + len(body)
    return b"".join(
        [
            data,
            body,
            b"xref\n%s 1\n%010d 00000 n \n" % (info, place),
            b"trailer\n<<\n/Size %s\n/Info %s 0 R\n/Root %s 0 R\n" % (size, info, root),
            b"%s\n/Prev %s\n>>\nstartxref\n%d\n%%%%EOF\n" % (identity or b"", previous, table),
        ]
    )


def _name(key: str) -> bytes:
    return re.sub(r"\W", "", key).encode("ascii", "ignore")


def _string(text: str) -> bytes:
    return b"<" + ("\ufeff" + text).encode("utf-16-be", "replace").hex().upper().encode() + b">"


FORMAT = PictureFormat("pdf", "PDF document", (".pdf",), encode, several=Several.PAGES)
