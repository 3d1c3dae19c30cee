"""Whether there is a safeguarding concern. Only that: the concern itself belongs in the school's safeguarding system."""

from server.kinds.kind import Field, Merge
from server.kinds.roles import Role
from server.kinds.shapes import Line, YesNo

CONCERN = Field(
    "concern", "Is there a safeguarding concern?", YesNo(), Merge.GRAVEST, quick=True, presses={"yes": "Safeguarding concern"},
    hint="If there is, tell the safeguarding lead yourself, now. Write the concern in the safeguarding system, not here.",
)  # fmt: skip

REFERENCE = Field("concern_reference", "Reference in the safeguarding system", Line(), only=(Role.DSL,))
