"""SVG: lines, text and formulas stay vectors, each part named for those who go on working with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtGui import QPainter

from gui.pictures import Encoding, Picture, PictureFormat
from gui.svg_engine import SvgDevice, escaped, number, quoted

__all__ = ["FORMAT"]

NAMESPACE = "urn:backstep"
"""Of what the file says about where it comes from."""


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint the one picture into an SVG file; see `Encoding`."""
    (picture,) = pictures
    data = _document(picture).encode()
    yield 1
    return data


def _document(picture: Picture) -> str:
    device = SvgDevice(picture.size)
    painter = QPainter(device)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    picture.paint_whole(painter)
    painter.end()
    width, height = number(picture.size.width()), number(picture.size.height())
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="graphics-document" aria-labelledby="title description">',
        f'<title id="title">{escaped(picture.title)}</title>',
        f'<desc id="description">{escaped(picture.description or picture.title)}</desc>',
        *_metadata({**picture.metadata, **picture.carried()}),
        device.elements(),
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def _metadata(pairs: Mapping[str, str]) -> list[str]:
    """Return what the file says about itself: Dublin Core as Inkscape shows it, and every pair by its key."""
    title, software = escaped(pairs.get("Title", "")), escaped(pairs.get("Software", ""))
    return [
        "<metadata>",
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cc="http://creativecommons.org/ns#">',
        f'<cc:Work rdf:about=""><dc:format>image/svg+xml</dc:format><dc:title>{title}</dc:title>'
        f"<dc:creator><cc:Agent><dc:title>{software}</dc:title></cc:Agent></dc:creator></cc:Work>",
        "</rdf:RDF>",
        f'<provenance xmlns="{NAMESPACE}">',
        *(f"<entry key={quoted(key)}>{escaped(text)}</entry>" for key, text in pairs.items()),
        "</provenance>",
        "</metadata>",
    ]


FORMAT = PictureFormat("svg", "SVG picture", (".svg",), encode)
