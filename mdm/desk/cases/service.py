"""Every verb of cases in one place: opening, what is done in one, where a lost device is, how it ends."""

from mdm.desk.cases.following import follow_devices as follow_devices
from mdm.desk.cases.following import follow_person as follow_person
from mdm.desk.cases.following import sweep as sweep
from mdm.desk.cases.handling import close as close
from mdm.desk.cases.handling import days as days
from mdm.desk.cases.handling import lock as lock
from mdm.desk.cases.handling import missing as missing
from mdm.desk.cases.handling import note as note
from mdm.desk.cases.handling import reopen as reopen
from mdm.desk.cases.handling import step as step
from mdm.desk.cases.handling import stolen as stolen
from mdm.desk.cases.handling import tell as tell
from mdm.desk.cases.handling import told_of as told_of
from mdm.desk.cases.location import look as look
from mdm.desk.cases.location import show as show
from mdm.desk.cases.opening import Told as Told
from mdm.desk.cases.opening import open_broken as open_broken
from mdm.desk.cases.opening import open_leaver as open_leaver
from mdm.desk.cases.opening import open_lost as open_lost
from mdm.desk.cases.opening import open_stolen as open_stolen
