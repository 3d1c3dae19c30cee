"""Words of warning in an export, read the cautious way: when in doubt, do not ring, and do not show the address."""

import re

from server.imports import values

NOT = r"(\b(not|cannot|dont|cant|mustnt|never)|n['’]t)( \w+){0,3}? "  # must not under any circumstances …

ADDRESS_WORDS = re.compile(
    r"\b(with?held|confidential|undisclosed|non.?disclosure|refuge|safe (house|address)|protected address|address protected|court order|"
    rf"secret|restricted)\b|{NOT}(disclosed?|shared?|given?|told|tell|know|revealed?|passed on|pass on)\b",
    re.I,
)
HIDING = re.compile(
    rf"\b(refuge|safe (house|address)|undisclosed|non.?disclosure|whereabouts)\b|{NOT}(disclosed?|(tell|told|know) .*\bwhere)\b", re.I
)
CONTACT_WORDS = re.compile(
    r"\b(no (direct )?(contact|access|calls|phone calls)|no legal access|dnc|court order|injunction|non.?mol(estation)?|occupation order|"
    r"prohibited steps|restraining order|(supervised|indirect|letterbox) contact|contact is supervised|barred|bail|"
    r"(contact|ring|call)s? (only )?(via|through) (the )?(social|police|dsl|solicitor)\w*)\b|"
    rf"{NOT}(contact(ed|s)?|ring|rung|call(ed)?|phoned?|text(ed)?|emailed?|collect|permitted|allowed|approach(ed)?)\b",
    re.I,
)


def is_withheld(flag: str | None, address: str, *notes: str) -> tuple[bool, bool]:
    """(withheld, unsure) from the flag's own column, what stands where an address should, and notes of an address or of hiding."""
    told, unsure = _told(flag)
    noted = any(HIDING.search(note) or ("address" in note.casefold() and ADDRESS_WORDS.search(note)) for note in notes)
    return told or noted or bool(ADDRESS_WORDS.search(address)), unsure


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
