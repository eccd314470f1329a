"""XML from cameras: never more than they may say, and never with a document type, whose entities can grow."""

from typing import Any, Final

from lxml import etree

LARGEST_ANSWER: Final = 1 << 20
"""The largest answer of a camera, in bytes."""


class AnswerError(Exception):
    """A camera's answer is of no use; the text says why in one line."""


def parsed(data: bytes) -> Any:
    """Return the root of a document; raise `AnswerError` for anything that SOAP does not allow."""
    if len(data) > LARGEST_ANSWER:
        raise AnswerError(f"expected an answer of at most {LARGEST_ANSWER} bytes, found more")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise AnswerError("its answer is not XML: it may not know ONVIF, or at another port") from None
    if root.getroottree().docinfo.doctype:
        raise AnswerError("its answer has a document type, which SOAP forbids")
    return root
