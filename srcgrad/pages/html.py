"""A view as HTML: needs no script; what belongs together is lit where a pointer or the focus rests on a part of it."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator
from importlib import resources

from srcgrad import optional
from srcgrad.pages.view import Mark, Pane, View

_NUMBERS = itertools.count(1)


def fragment(view: View) -> str:
    """For a cell of a notebook: it brings its own style, which holds for itself alone."""
    name = f"srcgrad-{next(_NUMBERS)}"
    return _fragment(view, name)


def page(view: View) -> str:
    """A whole page."""
    title = html.escape(view.title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_style("page.css")}</style>\n</head>\n'
        f"<body>\n{_fragment(view, 'srcgrad-0')}\n</body>\n</html>\n"
    )


def _fragment(view: View, name: str) -> str:
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in view.notes)
    return (
        f"<style>{_style('view.css')}{''.join(_lit(view, name))}</style>\n"
        f'<div class="srcgrad" id="{name}">\n<div class="srcgrad-title">{html.escape(view.title)}</div>\n'
        f'<div class="srcgrad-panes">\n<div class="srcgrad-side">{"".join(map(_pane, view.primal))}</div>\n'
        f'<div class="srcgrad-side">{_pane(view.generated)}</div>\n</div>\n'
        + (f'<ul class="srcgrad-notes">{notes}</ul>\n' if notes else "")
        + "</div>"
    )


def _style(name: str) -> str:
    return resources.files("srcgrad.pages").joinpath(name).read_text(encoding="utf-8")


def _lit(view: View, name: str) -> Iterator[str]:
    """For each statement: where one of its lines is pointed at, all of them are lit."""
    found = {one for pane in (*view.primal, view.generated) for group in pane.belongs for one in group}
    for one in sorted(found):
        yield f"#{name}:has(.of-{one}:is(:hover,:focus)) .of-{one}{{background:var(--srcgrad-lit)}}"


def _pane(pane: Pane) -> str:
    code = _coloured("\n".join(pane.lines)).split("\n")
    rows = "".join(_row(pane, place, text) for place, text in enumerate(code))
    return f'<div class="srcgrad-name">{html.escape(pane.title)}</div><pre class="srcgrad-code">{rows}</pre>'


def _row(pane: Pane, place: int, text: str) -> str:
    group = sorted(pane.belongs[place])
    classes = " ".join(["srcgrad-line", *(f"of-{one}" for one in group)])
    number = "" if pane.first is None else f'<span class="srcgrad-number">{pane.first + place}</span>'
    focus = ' tabindex="0"' if group else ""
    return f'<span class="{classes}"{focus}>{number}{text}{_mark(pane.marks.get(place))}</span>\n'


def _mark(mark: Mark | None) -> str:
    if mark is None:
        return ""
    return f'<span class="srcgrad-kept" title="{html.escape(mark.more)}">{html.escape(mark.label)}</span>'


def _coloured(text: str) -> str:
    """Python text with classes for colours, where Pygments is installed; the same number of lines."""
    if optional.package("pygments") is None:
        return html.escape(text)
    lexer = optional.package("pygments.lexers").get_lexer_by_name("python", stripnl=False, ensurenl=False)
    formatter = optional.package("pygments.formatters").get_formatter_by_name("html", nowrap=True, classprefix="sg-")
    shown: str = optional.package("pygments").highlight(text, lexer, formatter)
    return shown.removesuffix("\n") if shown.count("\n") > text.count("\n") else shown
