"""The phone's door: JSON. One small file a noun."""

from server.api.alerts import note_alert
from server.api.drafts import forget_draft, list_drafts
from server.api.here import say_here
from server.api.history import tell_history
from server.api.intake import take_crate
from server.api.live import listen
from server.api.oncall import answer_call, call_for_help, follow_call, go_off_duty, go_on_duty, list_calls, tell_duty
from server.api.passkeys import ask_for_new, ask_for_one, keep_new, list_own, remove_own
from server.api.people import list_people
from server.api.phone import tell_phone_key
from server.api.push import ask_for_test, keep_subscription, tell_standing, turn_off
from server.api.school import describe_school
from server.api.session import begin_session, end_session
from server.api.sync import take_letter
from server.api.taken_along import take_along
from server.api.vault import give_share, make_share
from server.api.visits import answer_visit, follow_visit, keep_closing_words, list_visits, tell_closing_words

routes = [
    say_here, begin_session, end_session, describe_school, list_people, take_letter, tell_history, listen,
    tell_phone_key, make_share, give_share, take_crate, list_drafts, forget_draft,
    tell_standing, keep_subscription, turn_off, ask_for_test, note_alert,
    take_along, ask_for_one, list_own, ask_for_new, keep_new, remove_own,
    tell_duty, go_on_duty, go_off_duty, list_calls, call_for_help, follow_call, answer_call,
    list_visits, follow_visit, answer_visit, tell_closing_words, keep_closing_words,
]  # fmt: skip
