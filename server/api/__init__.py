"""The phone's door: JSON. One small file a noun."""

from server.api.here import say_here
from server.api.history import tell_history
from server.api.live import listen
from server.api.people import list_people
from server.api.school import describe_school
from server.api.session import begin_session, end_session
from server.api.sync import take_letter

routes = [say_here, begin_session, end_session, describe_school, list_people, take_letter, tell_history, listen]
