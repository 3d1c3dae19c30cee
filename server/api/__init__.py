"""The phone's door: JSON. One small file a noun."""

from server.api.here import here
from server.api.live import live
from server.api.people import people
from server.api.school import school
from server.api.session import begin_session, end_session

routes = [here, begin_session, end_session, school, people, live]
