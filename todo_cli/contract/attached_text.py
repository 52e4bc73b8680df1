"""Text that a person attaches to a message for the model, such as a file on stdin. It is data: it names no tasks."""

import re

FIRST_LINE, LAST_LINE = "<attachment>", "</attachment>"

# up to the last such line, so that a file which has the line itself cannot end its attachment early
_ATTACHMENT = re.compile(f"^{FIRST_LINE}$(?:.*^{LAST_LINE}$|.*)", re.DOTALL | re.MULTILINE)


def wrap_attachment(text: str) -> str:
    """Return the text between the lines that mark it as attached."""
    return f"{FIRST_LINE}\n{text}\n{LAST_LINE}"


def remove_attachment(message: str) -> str:
    """Return a message without its attachment: the person's own words."""
    return _ATTACHMENT.sub("", message)


def choose_own_words(message: str) -> str:
    """Return the person's own words, or the attachment where there are no others."""
    return remove_attachment(message).strip() or message
