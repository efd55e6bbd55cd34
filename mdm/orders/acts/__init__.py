"""Acts: risky things that the server itself does, once somebody else has agreed. See ``mdm/core/risk.py``.

A service of a risky verb raises ApprovalNeededError; the door has a request made of it (``ask``), people sign its text
(``approve``), and the worker performs it (``perform``) with a permit for exactly that. Where nobody has founded a roster,
nobody could agree: ``unfounded`` gives a permit, and what it is used for stands in the diary and raises an alarm.
"""

from mdm.orders.acts.asking import ask as ask
from mdm.orders.acts.asking import by_the_host as by_the_host
from mdm.orders.acts.asking import note_uses as note_uses
from mdm.orders.acts.asking import unfounded as unfounded
from mdm.orders.acts.deciding import approve as approve
from mdm.orders.acts.deciding import cancel as cancel
from mdm.orders.acts.deciding import reject as reject
from mdm.orders.acts.performing import Handler as Handler
from mdm.orders.acts.performing import Outcome as Outcome
from mdm.orders.acts.performing import Trust as Trust
from mdm.orders.acts.performing import expire_due as expire_due
from mdm.orders.acts.performing import perform as perform
