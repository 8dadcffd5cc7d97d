"""Addresses in HTML where code decides what they begin with."""

import html

from kartramail.adapters.mail_html.masking import Mask
from kartramail.adapters.template_links import SAFE_SCHEMES, beginning


def is_safe_with_code(value: str, mask: Mask) -> bool:
    """Whether what an author wrote of an address can never make a scheme that mail may not have.

    What a variable holds is judged when it is filled in, by `defuse_links`. A piece of text that
    follows a tag, such as `{% else %}`, may be where the address begins.
    """
    depth, may_begin = 0, True
    for index, part in enumerate(mask.mark.split(html.unescape(value))):
        if index % 2:
            code = mask.codes[int(part)]
            depth += code.step
            may_begin = may_begin or bool(code.name)
            continue
        scheme, stop = beginning(part)
        if not may_begin or not stop:
            continue
        if stop == ":" and scheme not in SAFE_SCHEMES and (scheme[:1].isalpha() or not scheme):
            return False
        if depth == 0:
            return True
        may_begin = False
    return True
