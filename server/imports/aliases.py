"""The headings that exports use for each thing, in SIMS, Arbor, Bromcom and what schools make of them.

Written as `headings.plain()` leaves them. The first that is there wins; the others of its line are then not used.
"""

from collections.abc import Mapping

Aliases = Mapping[str, tuple[str, ...]]


def either(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split("|"))


def of_a_contact(names: str) -> tuple[str, ...]:
    """The same behind "contact" as well, and that first: beside it the bare word may be the pupil's own."""
    bare = either(names)
    return (*(name if name.startswith("contact") else f"contact {name}" for name in bare), *bare)


WHO_IS_THE_PUPIL: Aliases = {
    "mis_id": either(
        "mis id | mis identifier | arbor student id | arbor id | bromcom id | sims id | person id | student id | pupil id | "
        "external id | api id"
    ),
    "upn": either("upn | unique pupil number | pupil upn | student upn"),
    "admission_no": either(
        "admission number | admission no | adm no | admno | adno | adm number | admissions number | pupil admission number | "
        "student admission number"
    ),
}

PUPIL: Aliases = {
    **WHO_IS_THE_PUPIL,
    "surname": either(
        "surname | last name | family name | legal surname | legal last name | pupil surname | student surname | student last "
        "name | preferred surname | preferred last name"
    ),
    "forename": either(
        "forename | first name | given name | legal forename | legal first name | forenames | first names | pupil forename | "
        "student forename | student first name"
    ),
    "preferred": either(
        "preferred forename | preferred first name | preferred name | known as | chosen name | chosen forename | preferred given name"
    ),
    "whole_name": either("name | pupil name | student name | full name | legal name | pupil | student | legal full name"),
    "year": either(
        "year | year group | yr | nc year | national curriculum year | nc year actual | current year | year taught in | yr grp "
        "| curriculum year | current nc year"
    ),
    "form": either(
        "reg | form | registration form | tutor group | reg group | registration group | tutor group name | reg form | form "
        "group | class | registration | tutor grp | current registration form"
    ),
    "born_on": either("dob | date of birth | birth date | birthdate | d o b | born"),
    "address": either("address | home address | full address | main address | current address | postal address | pupil address"),
    "address_withheld": either(
        "address withheld | withhold address | address confidential | confidential address | do not disclose address | address "
        "not to be disclosed"
    ),
    "left_on": either("date of leaving | leaving date | dol | date left | left on | leave date | end date"),
}

CONTACT: Aliases = {
    **WHO_IS_THE_PUPIL,
    "pupil_surname": either(
        "pupil surname | student surname | pupil last name | student last name | child surname | surname | last name | legal surname"
    ),
    "pupil_forename": either(
        "pupil forename | student forename | pupil first name | student first name | child forename | forename | first name | "
        "legal forename"
    ),
    "pupil_whole_name": either(
        "pupil name | student name | pupil | student | child name | full name | pupil full name | student full name | name"
    ),
    "pupil_born_on": either("dob | date of birth | pupil dob | pupil date of birth | student dob | student date of birth | birth date"),
    "position": of_a_contact(
        "priority | contact order | contact priority | order | call order | calling order | contact number order | priority order"
    ),
    "title": of_a_contact("contact title | title | parent title"),
    "contact_forename": of_a_contact(
        "contact forename | contact first name | parent forename | parent first name | guardian forename | guardian first name "
        "| primary contact forename"
    ),
    "contact_surname": of_a_contact(
        "contact surname | contact last name | parent surname | parent last name | guardian surname | guardian last name"
    ),
    "contact_name": of_a_contact(
        "contact name | contact full name | parent name | guardian name | carer name | parent carer name | contact | parent | "
        "guardian | contact salutation | parent guardian name"
    ),
    "relationship": of_a_contact(
        "relationship | contact relationship | relation | relationship to pupil | relationship to student | relation type | "
        "contact relation | relationship type"
    ),
    "phone": of_a_contact(
        "mobile | mobile number | mobile phone | contact mobile | main telephone | telephone | contact telephone | phone | "
        "phone number | primary phone | primary telephone | contact phone | telephone number | contact mobile number | main "
        "phone | mobile telephone | default phone number | tel"
    ),
    "other_phone": of_a_contact(
        "other phone | home phone | home telephone | work phone | work telephone | daytime telephone | second phone | "
        "alternative phone | landline | contact home telephone | contact work telephone | home number | day telephone | home "
        "tel | other telephone"
    ),
    "email": of_a_contact(
        "contact email | email | email address | contact email address | parent email | primary email | e mail | default email "
        "address | home email"
    ),
    "address": of_a_contact(
        "contact address | address | home address | full address | contact full address | parent address | main address"
    ),
    "parental_responsibility": of_a_contact(
        "parental responsibility | contact parental responsibility | has parental responsibility | pr | parental resp | legal "
        "responsibility | parent responsibility"
    ),
    "do_not_contact": of_a_contact(
        "do not contact | no contact | contact restricted | not to be contacted | no contact allowed | do not ring | do not "
        "call | restricted contact | contact restriction"
    ),
    "contact_allowed": of_a_contact("contact allowed | can be contacted | may be contacted | ok to contact | can contact"),
    "court_order": of_a_contact("court order | court orders | legal restriction | injunction | court order details | has court order"),
    "address_withheld": of_a_contact(
        "address withheld | withhold address | address confidential | confidential address | do not disclose address | address "
        "not to be disclosed | confidential"
    ),
    "note": of_a_contact("note | notes | comment | comments | contact notes | contact comments | additional information"),
}

MARK: Aliases = {
    **WHO_IS_THE_PUPIL,
    "on_day": either("date | day | mark date | session date | attendance date | register date | calendar start date"),
    "am": either("am | am mark | am code | morning | morning mark | am session"),
    "pm": either("pm | pm mark | pm code | afternoon | afternoon mark | pm session"),
    "session": either("session | am pm | registration session | period"),
    "mark": either("mark | code | attendance code | attendance mark | register mark | session mark"),
}

LESSON: Aliases = {
    "username": either("username | user name | login | email | email address | staff email | teacher email | work email | staff username"),
    "whole_name": either("teacher | staff | staff name | teacher name | member of staff | name | full name | staff full name | covering"),
    "weekday": either("day | weekday | day of week | day name | day of the week"),
    "week": either("week | timetable week | cycle week | week name | a b | ab week"),
    "on_day": either("date | on date | cover date | change date | lesson date"),
    "period": either("period | lesson | period name | period code | timetable period | slot"),
    "place": either("room | room code | room name | location | place | classroom | new room"),
    "words": either("class | class name | class code | teaching group | group | lesson name | activity | course | subject | event"),
}

# Where an address comes in pieces, they are put together in this order.
ADDRESS_PARTS = either(
    "flat | apartment | house name | house number | house no | house name number | street | road | address line 1 | address "
    "line 2 | address line 3 | address line 4 | address 1 | address 2 | address 3 | address 4 | locality | district | "
    "village | town | city | town city | county | postcode | post code | postal code"
)
