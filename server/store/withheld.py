"""Whose address is not to be told. One that is withheld withholds every address of that family: it may stand there under another name."""

# To be written after `with`. `$1` is the school.
APART = """
    apart as (
        select k.id, k.family from pupil k
        where k.school = $1 and (k.address_withheld or exists (
            select 1 from contact w where w.school = k.school and w.pupil = k.id and not w.gone and w.address_withheld)))"""

# Of a pupil `p`, where APART stands before.
IS_APART = "(p.id in (select id from apart) or p.family in (select family from apart where family is not null))"
