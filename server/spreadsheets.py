"""Text on its way into a spreadsheet, so that none computes anything from it."""

import re

# Excel, Calc and Sheets run what begins like this; and where they cut at semicolons, what follows one begins a cell.
FORMULA = re.compile(r"^(?=[=+\-@|\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[\s\"']*[=+\-@|＝＋－＠])")


def safe(text: str) -> str:
    """With an apostrophe before whatever a spreadsheet could take for the beginning of a formula."""
    return FORMULA.sub("'", text)
