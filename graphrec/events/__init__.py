"""Write what applications report into the graph: events of users, and properties and attributes of users and items."""

from graphrec.events.event import Event, EventPolicy
from graphrec.events.nodes import Change, DeletedUser, delete_user, put_node
from graphrec.events.sink import EventSink, Outcome

__all__ = [
    "Change",
    "DeletedUser",
    "Event",
    "EventPolicy",
    "EventSink",
    "Outcome",
    "delete_user",
    "put_node",
]
