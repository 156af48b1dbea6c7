"""Images that a notebook's Markdown cell carries with it (nbformat 4.1, `attachments`). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

_ADDRESS = re.compile(r"(?<=\()attachment:([^)\s]+)")


def with_attachments(text: str, attachments: object) -> str:
    """The Markdown with each address of an attached image replaced by one that holds the image itself."""
    if not isinstance(attachments, dict):
        return text

    def held(match: re.Match[str]) -> str:
        bundle = attachments.get(match[1], attachments.get(unquote(match[1])))
        return _data_url(bundle) or match[0]

    return _ADDRESS.sub(held, text)


def _data_url(bundle: object) -> str | None:
    """The first image of a bundle by MIME type; None where there is none."""
    if not isinstance(bundle, Mapping):
        return None
    for mime, data in bundle.items():
        content = "".join(map(str, data)) if isinstance(data, list) else data
        if isinstance(content, str) and str(mime).startswith("image/"):
            return f"data:{mime};base64,{''.join(content.split())}"
    return None
