"""The parts of `report.html`: tables, pictures, lists. Every text is escaped here, or in html.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from reporting.pictures import Picture


def element(tag: str, text: str, **attributes: str) -> str:
    """An element with a text in it."""
    return f"<{tag}{_attributes(attributes)}>{escape(text)}</{tag}>"


def within(tag: str, *parts: str, **attributes: str) -> str:
    """An element around elements."""
    return f"<{tag}{_attributes(attributes)}>{''.join(parts)}</{tag}>"


def _attributes(attributes: Mapping[str, str]) -> str:
    """class_ is the attribute class, aria_label is aria-label."""
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value, quote=True)}"' for name, value in attributes.items()
    )


def scrolling(name: str, content: str, class_: str = "scroll") -> str:
    """What is wider than a phone scrolls by itself, with the keyboard too."""
    return within("div", content, class_=class_, tabindex="0", role="region", aria_label=name)


def sortable_table(
    title: str, headings: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], numeric: Sequence[bool]
) -> str:
    """A long table. rows: each with its class and its cells; numeric: whether a column holds numbers."""
    head = [
        element("th", heading, scope="col", **({"class_": "number"} if number else {}))
        for heading, number in zip(headings, numeric, strict=True)
    ]
    body = []
    for kind, cells in rows:
        texts = [
            f'<td class="number">{escape(text)}</td>' if number else f"<td>{escape(text)}</td>"
            for text, number in zip(cells, numeric, strict=True)
        ]
        body.append(within("tr", *texts, **({"class_": kind} if kind else {})))
    grid = within(
        "table",
        element("caption", title),
        within("thead", within("tr", *head)),
        within("tbody", *body),
        class_="sortable",
    )
    return scrolling(title, grid, class_="trials")


def figure(picture: Picture, source: str, heading: str = "h4") -> str:
    """source: a data URI. What is wide scrolls on a phone."""
    width, height = (round(side * picture.dots_per_inch) for side in picture.size)
    image = f'<img src="{source}" alt="{escape(picture.alt, quote=True)}" width="{width}" height="{height}">'
    shown = scrolling(picture.title, image) if picture.wide else image
    caption = element("figcaption", picture.caption) if picture.caption else ""
    kind = {"class_": "wide"} if picture.wide else {}
    return within("figure", element(heading, picture.title), shown, caption, **kind)


def described(entries: Mapping[str, str]) -> str:
    """Names with what belongs to them; empty ones are left out."""
    return within("dl", *(element("dt", name) + element("dd", text) for name, text in entries.items() if text))
