"""Which form of a page somebody wants (RFC 9110 §12.5.1; PEP 691)."""

from __future__ import annotations

from recto.index.page import HTML, JSON, PLAIN_HTML

# In this order where somebody likes several as much.
_FORMS = {
    JSON: (JSON, "application/vnd.pypi.simple.latest+json", "application/*", "*/*"),
    HTML: (HTML, "application/vnd.pypi.simple.latest+html"),
    PLAIN_HTML: (PLAIN_HTML, "text/*"),
}
_HEADER_BYTES_MAX = 2000


def form_for(accept: str) -> str | None:
    """The media type to answer with, None where none of them is wanted. Whoever says nothing gets JSON."""
    if not accept.strip():
        return JSON
    wishes = dict(filter(None, map(_wish, accept[:_HEADER_BYTES_MAX].split(","))))
    liked = {
        form: max((wishes[name] for name in names if name in wishes), default=0.0) for form, names in _FORMS.items()
    }
    best = max(liked, key=lambda form: liked[form])
    return best if liked[best] > 0 else None


def _wish(text: str) -> tuple[str, float] | None:
    name, *parameters = (word.strip().lower() for word in text.split(";"))
    quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
    try:
        return name, min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return None
