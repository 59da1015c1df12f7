"""A reliability diagram as SVG that stands alone, in a file or in a page."""

from __future__ import annotations

from html import escape

from train.calibration.quality import Quality

#: Side of the square, and what is free around it, in pixels.
SIDE, LEFT, TOP, BELOW = 260, 46, 34, 96

#: Height of the row of counts below it.
COUNTS = 34

TEXT = 'font-family="sans-serif" font-size="11" fill="#333"'


def reliability_svg(title: str, found: Quality) -> str:
    """Return the diagram: share of defective pictures over their probability, with the counts.

    On the dashed line both agree; the black stroke is the share, and what is orange is how far
    they are apart.
    """
    width, height = LEFT + SIDE + 16, TOP + SIDE + BELOW

    def x(value: float) -> float:
        return round(LEFT + value * SIDE, 1)

    def y(value: float) -> float:
        return round(TOP + (1 - value) * SIDE, 1)

    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img"><title>{escape(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="{LEFT}" y="20" {TEXT} font-weight="bold">{escape(title)}</text>'
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        pieces.append(f'<path d="M{LEFT} {y(tick)}H{LEFT + SIDE}" stroke="#ddd"/>')
        pieces.append(f'<text x="{LEFT - 6}" y="{y(tick) + 4}" {TEXT} {_END}>{tick:g}</text>')
        pieces.append(
            f'<text x="{x(tick)}" y="{TOP + SIDE + 15}" {TEXT} text-anchor="middle">{tick:g}</text>'
        )
    most = max(each.count for each in found.bins)
    for each in found.bins:
        if each.share is None or each.probability is None:
            continue
        left, wide = x(each.low) + 1, x(each.high) - x(each.low) - 2
        low, high = sorted((each.share, each.probability))
        pieces.append(_bar(left, wide, y(low), y(0), "#0072b2"))
        pieces.append(_bar(left, wide, y(high), y(low), "#e69f00", 0.6))
        line = f"M{left:.1f} {y(each.share)}h{wide:.1f}"
        pieces.append(f'<path d="{line}" stroke="#000" stroke-width="2"/>')
        tall = each.count / most * COUNTS
        base = TOP + SIDE + 24 + COUNTS
        pieces.append(_bar(left, wide, base - tall, base, "#888"))
    pieces.append(
        f'<path d="M{LEFT} {y(0)}L{LEFT + SIDE} {y(1)}" stroke="#333" stroke-dasharray="4 3"/>'
    )
    foot = TOP + SIDE + 24 + COUNTS
    pieces.append(
        f'<text x="{LEFT}" y="{foot + 14}" {TEXT}>predicted probability; pictures, {most} at most'
        "</text>"
        f'<text x="{LEFT}" y="{foot + 29}" {TEXT}>expected calibration error {found.ece:.3f}, '
        f"Brier {found.brier:.3f}</text>"
        f'<text transform="translate(12 {TOP + SIDE / 2}) rotate(-90)" {TEXT} '
        'text-anchor="middle">share that is defective</text></svg>'
    )
    return "".join(pieces)


_END = 'text-anchor="end"'


def _bar(x: float, width: float, top: float, bottom: float, colour: str, opacity: float = 1) -> str:
    return (
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(bottom - top, 0):.1f}" '
        f'fill="{colour}" fill-opacity="{opacity:g}"/>'
    )
