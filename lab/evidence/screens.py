"""A phone's screen as SVG: what a person in front of it would see."""

from __future__ import annotations

from html import escape

from lab.console.views import PhoneCard

_WIDTH, _HEIGHT = 320, 168


def screen_svg(card: PhoneCard) -> str:
    top, big, second = (escape(line[:34]) for line in card.screen)
    keys = "".join(
        f'<rect x="{8 + 77 * at}" y="138" width="73" height="22" rx="3" fill="#2A3441"/>'
        f'<text x="{44 + 77 * at}" y="153" font-size="11" fill="#E7ECF2" text-anchor="middle">{escape(key[:10])}</text>'
        for at, key in enumerate(card.soft_keys[:4])
    )
    lamp = '<circle cx="300" cy="16" r="7" fill="#F2B84B"/>' if card.message_lamp else ""
    label = escape(f"Screen of {card.device}, {card.look.word}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'role="img" aria-label="{label}" font-family="DejaVu Sans, Liberation Sans, sans-serif">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#17202B"/>'
        f'<text x="12" y="22" font-size="12" fill="#A3AFBE">{top}</text>{lamp}'
        f'<text x="12" y="68" font-size="22" fill="#E7ECF2">{big}</text>'
        f'<text x="12" y="100" font-size="15" fill="#E7ECF2">{second}</text>{keys}</svg>\n'
    )
