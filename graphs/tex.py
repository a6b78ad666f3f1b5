r"""Text and formulas for TeX: whatever comes in, what goes out is ASCII that pdfLaTeX and LuaLaTeX set alike.

Titles and names are what users chose. TeX's own signs are escaped; Greek letters, marks above letters and
signs of mathematics become TeX's; a letter that the fonts of a basic TeX lack is written by its sound or its
number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from engine.names import latex_name
from graphs.typesetting import width

__all__ = ["PREAMBLE", "comments", "escaped", "formula", "pdf_text", "sentence", "tidied"]

WIDE = 25.0  # em, of a formula in a sentence
LONG = 200  # characters of a value that stands at the end of a file rather than at its top

PREAMBLE = r"""\documentclass[11pt,a4paper,fleqn]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage{amsmath,amssymb}
\usepackage{graphicx}
\usepackage{xcolor}
\usepackage[margin=25mm]{geometry}
\usepackage[hidelinks]{hyperref}
\definecolor{factor}{HTML}{@factor}
\setlength{\mathindent}{1.5em}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5\baselineskip plus 2pt}
\setlength{\emergencystretch}{0.8\linewidth}
\hbadness=10000
\widowpenalty=10000
\displaywidowpenalty=10000
\clubpenalty=10000
\renewcommand{\arraystretch}{1.15}
\raggedbottom
% A formula that is wider than its line is made smaller, and the log says so.
\newsavebox{\fittedbox}
\newcommand{\fitted}[2][\dimexpr\linewidth-\mathindent\relax]{%
  \savebox{\fittedbox}{$\displaystyle #2$}%
  \ifdim\wd\fittedbox>#1
    \typeout{Backstep: a formula of \the\wd\fittedbox\space is made smaller}%
    \resizebox{#1}{!}{\usebox{\fittedbox}}%
  \else
    \usebox{\fittedbox}%
  \fi}
% Places to write at: for a number, and for a formula, of a width and a height.
\newcommand{\blank}[1]{\underline{\hspace{#1}\rule{0pt}{2.4ex}}}
\newcommand{\answer}[2]{\vcenter{\hbox{\fcolorbox{black!35}{white}{\rule{0pt}{#2}\hspace{#1}}}}}
"""
"""What a document begins with; ``@factor`` stands for the colour of factors, as six digits."""

_SPECIAL = {
    **{c: f"\\{c}" for c in "%&#$_{}"},
    **{
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "`": r"\textasciigrave{}",
    },
    **{"-": "-{}", "<": "<{}", ">": ">{}", ",": ",{}", "'": "'{}", "!": "!{}", "?": "?{}"},  # else ligatures
    '"': r"\textquotedbl{}",
}
_LIGATURE = frozenset("-<>,'!?`")
_MATHS = dict(
    zip(
        "×·÷±−∂∇∑∏∫√∞≈≠≤≥∈→←↔⇒⊙⊘⊗⊕∘‖∈∀∃∅∪∩°…",
        (
            *(r"\times", r"\cdot", r"\div", r"\pm", "-", r"\partial", r"\nabla", r"\sum", r"\prod", r"\int"),
            *(
                r"\surd",
                r"\infty",
                r"\approx",
                r"\neq",
                r"\leq",
                r"\geq",
                r"\in",
                r"\rightarrow",
                r"\leftarrow",
            ),
            *(
                r"\leftrightarrow",
                r"\Rightarrow",
                r"\odot",
                r"\oslash",
                r"\otimes",
                r"\oplus",
                r"\circ",
                r"\|",
            ),
            *(r"\in", r"\forall", r"\exists", r"\emptyset", r"\cup", r"\cap", r"{}^\circ", r"\ldots"),
        ),
        strict=True,
    )
)
_SCRIPTS = {
    **{c: f"{{}}_{{{i}}}" for i, c in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **{c: f"{{}}^{{{i}}}" for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    **{"ᵀ": r"{}^\intercal", "ⁿ": "{}^{n}", "⁻": "{}^{-}", "⁺": "{}^{+}", "₊": "{}_{+}", "₋": "{}_{-}"},
}
_TEXTS = {
    **{"ß": r"\ss", "æ": r"\ae", "Æ": r"\AE", "œ": r"\oe", "Œ": r"\OE", "ø": r"\o", "Ø": r"\O", "ł": r"\l"},
    **{"Ł": r"\L", "đ": r"\dj", "Đ": r"\DJ", "ð": r"\dh", "Ð": r"\DH", "þ": r"\th", "Þ": r"\TH", "ı": r"\i"},
    **{"ŋ": r"\ng", "Ŋ": r"\NG", "–": r"\textendash", "—": r"\textemdash", "‘": r"\textquoteleft"},
    **{"’": r"\textquoteright", "“": r"\textquotedblleft", "”": r"\textquotedblright", "„": r"\quotedblbase"},
    **{"«": r"\guillemotleft", "»": r"\guillemotright", "§": r"\S", "¶": r"\P", "©": r"\copyright"},
    **{"£": r"\pounds", "¿": r"\textquestiondown", "¡": r"\textexclamdown", "•": r"\textbullet", "€": "EUR"},
}
_MARKS = {
    **{"\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0304": r"\=", "\u0306": r"\u"},
    **{"\u0307": r"\.", "\u0308": r"\"", "\u030a": r"\r", "\u030b": r"\H", "\u030c": r"\v", "\u0323": r"\d"},
    **{"\u0327": r"\c", "\u0328": r"\k", "\u0331": r"\b"},
}
_MATHS_MARKS = {
    **{"\u0300": r"\grave", "\u0301": r"\acute", "\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar"},
    **{"\u0306": r"\breve", "\u0307": r"\dot", "\u0308": r"\ddot", "\u030c": r"\check", "\u20d7": r"\vec"},
}
_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў",
        (
            *(
                "a",
                "b",
                "v",
                "g",
                "d",
                "e",
                "yo",
                "zh",
                "z",
                "i",
                "y",
                "k",
                "l",
                "m",
                "n",
                "o",
                "p",
                "r",
                "s",
            ),
            *("t", "u", "f", "kh", "ts", "ch", "sh", "shch", "'", "y", "'", "e", "yu", "ya"),
            *("i", "yi", "ye", "g", "u"),
        ),
        strict=True,
    )
)
_CLUSTER = re.compile(r"(.)([\u0300-\u036f\u20d0-\u20ff]*)", re.DOTALL)


# --- text --------------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    r"""Return plain text as TeX sets it, on one line.

    Examples
    --------
    >>> escaped("50 % of ŷ_1"), escaped("β & x²")
    ('50 \\% of \\^{y}\\_1', '\\ensuremath{\\beta} \\& x\\ensuremath{{}^{2}}')
    """
    flat = " ".join(unicodedata.normalize("NFC", text).split())
    found = []
    for match in _CLUSTER.finditer(flat):
        base, marks = match.groups()
        follows = flat[match.end() : match.end() + 1]
        if base in _LIGATURE and not marks:
            found.append(_SPECIAL[base] if base == "`" or follows in _LIGATURE else base)
        else:
            found.append(_cluster(base, marks))
    return "".join(found)


@lru_cache(maxsize=4096)
def _cluster(base: str, marks: str = "") -> str:
    """Return a letter with what stands above and below it, for text."""
    base, *more = unicodedata.normalize("NFD", base + marks)
    if not more:
        return _single(base)
    if base.isascii():
        text = _SPECIAL.get(base, base)
        for mark in more:
            text = f"{_MARKS[mark]}{{{text}}}" if mark in _MARKS else text
        maths = _MATHS_MARKS.get(more[0])
        return rf"\ensuremath{{{maths}{{{base}}}}}" if more[0] not in _MARKS and maths else text
    inner = _single(unicodedata.normalize("NFC", base))
    for mark in more:
        accent = _MATHS_MARKS.get(mark)
        inner = rf"\ensuremath{{{accent}{{{inner}}}}}" if accent and r"\ensuremath" in inner else inner
    return inner


def _single(char: str) -> str:
    if char.isascii():
        return _SPECIAL.get(char, char if char.isprintable() else "")
    if char in _MATHS or char in _SCRIPTS:
        return rf"\ensuremath{{{_MATHS.get(char) or _SCRIPTS[char]}}}"
    if char in _TEXTS:
        return f"{{{_TEXTS[char]}}}"
    known = latex_name(char)
    if known.isascii():  # Greek
        return rf"\ensuremath{{{known}}}"
    if char.lower() in _CYRILLIC:
        sound = _CYRILLIC[char.lower()]
        return sound.capitalize() if char.isupper() else sound
    return _unknown(char)


def _unknown(char: str) -> str:
    plain = unicodedata.normalize("NFKD", char)
    if plain != char and plain.isascii():  # a letter in another style, a ligature
        return "".join(_SPECIAL.get(c, c) for c in plain)
    category = unicodedata.category(char)
    if category.startswith("C") or category.startswith("M"):
        return ""
    return " " if category.startswith("Z") else f"[U+{ord(char):04X}]"


def pdf_text(text: str) -> str:
    r"""Return text for a PDF's own information, as ``\hypersetup`` of hyperref takes it."""
    flat = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return re.sub(r"[^A-Za-z0-9 .:/+-]", lambda m: rf'\unichar{{"{ord(m[0]):04X}}}', flat)


def comments(pairs: Mapping[str, str], long: bool = False) -> str:
    """Return what a file says about itself as comments: short values, or the long ones for its end."""
    rows = [
        f"% {key}: {' '.join(value.split())}\n" for key, value in pairs.items() if (len(value) > LONG) == long
    ]
    return "".join(rows)


# --- formulas ----------------------------------------------------------------------------------------------

_POWER_OF_TEN = re.compile(r"\\cdot (10\^\{-?\d+\})")
_OPERATORS = "".join(
    rf"(?<!\\{name})" for name in ("partial", "cdot", "odot", "oslash", "times", "leftarrow")
)
_UPRIGHT = re.compile(rf"(?<=[\w}})]){_OPERATORS} (?=\\mathrm\{{)")


def formula(latex: str) -> str:
    """Return a formula of the engine as every TeX sets it: tidied, and in ASCII."""
    latex = tidied(latex)
    return latex if latex.isascii() else _NOT_ASCII.sub(lambda m: _in_formula(*m.groups()), latex)


def tidied(latex: str) -> str:
    r"""Return a formula of the engine as a book sets it: proper norms, powers of ten with a cross.

    A word in a product is set apart from what stands before it.

    Examples
    --------
    >>> tidied(r"||x||^2 \cdot 1.5 \cdot 10^{-7}")
    '\\|x\\|^2 \\cdot 1.5 \\times 10^{-7}'
    """
    latex = latex.replace("||", r"\|").replace(r"\mathbb{1}", r"\mathbf{1}")
    return _UPRIGHT.sub(r" \\, ", _POWER_OF_TEN.sub(r"\\times \1", latex))


_NOT_ASCII = re.compile(
    r"([^\x00-\x7f]|[A-Za-z0-9](?=[\u0300-\u036f\u20d0-\u20ff]))([\u0300-\u036f\u20d0-\u20ff]*)"
)


def _in_formula(base: str, marks: str) -> str:
    text = _cluster(base, marks)
    return text if text.startswith(r"\ensuremath") else rf"\text{{{text}}}"


def sentence(text: str) -> str:
    r"""Return a sentence in which formulas stand between dollar signs, its words escaped.

    A formula about as wide as a line goes through the document's own ``\fitted``, as no line break helps it.
    """
    parts = text.split("$")
    return "".join(_inline(part) if i % 2 else _flowing(part) for i, part in enumerate(parts))


def _inline(latex: str) -> str:
    return rf"$\fitted[\linewidth]{{{latex}}}$" if width(latex) > WIDE else f"${latex}$"


def _flowing(text: str) -> str:
    """Return words escaped, the spaces at their ends kept."""
    inner = escaped(text)
    return f"{' ' * text[:1].isspace()}{inner}{' ' * (text[-1:].isspace() and bool(inner))}"
