"""Words of warning in an export, read the cautious way: when in doubt, do not ring, and do not show the address."""

import re

from server.imports import values

ADDRESS_WORDS = re.compile(
    r"\b(with?held|confidential|undisclosed|not to be (disclosed|shared|given)|do not (disclose|share|give)|non.?disclosure|refuge|"
    r"safe (house|address)|protected address|address protected|court order|secret|restricted)\b",
    re.I,
)
CONTACT_WORDS = re.compile(
    r"\b(do not (contact|ring|call|phone|text|email)|don'?t (contact|ring|call|phone)|no contact|"
    r"not to (be )?(contact(ed)?|ring|rung|call(ed)?|collect)|"
    r"never (contact|ring|call)|court order|injunction|non.?molestation|prohibited steps|restraining order|"
    r"supervised contact|no (legal )?access|barred|bail conditions?)\b",
    re.I,
)


def is_withheld(flag: str | None, *texts: str) -> tuple[bool, bool]:
    """(withheld, unsure) from the flag's own column and whatever stands where an address or a note should."""
    told, unsure = _told(flag)
    return told or any(ADDRESS_WORDS.search(text) for text in texts), unsure


def is_not_to_be_contacted(flag: str | None, allowed: str | None, order: str | None, *texts: str) -> tuple[bool, bool]:
    """(do not contact, unsure). `allowed` is a column that asks it the other way round; a court order of any kind counts."""
    told, unsure = _told(flag)
    if allowed:
        says = values.yes_or_no(allowed)
        told, unsure = told or says is not True, unsure or says is None
    if order:
        says = values.yes_or_no(order)
        told = told or says is not False
    worded = any(CONTACT_WORDS.search(text) for text in texts)
    return told or worded, unsure or (worded and not told)


def _told(flag: str | None) -> tuple[bool, bool]:
    """A flag that is neither plainly yes nor plainly no counts as raised."""
    if not flag:
        return False, False
    says = values.yes_or_no(flag)
    return says is not False, says is None
