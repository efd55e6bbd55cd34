"""Every page of the console, one module per subject."""

from web.console.desk import box as desk_box
from web.console.desk import case as desk_case
from web.console.desk import cases as desk_cases
from web.console.desk import costs as desk_costs
from web.console.desk import exchange as desk_exchange
from web.console.desk import hand_out as desk_hand_out
from web.console.desk import kiosk_setups as desk_kiosk_setups
from web.console.desk import kiosks as desk_kiosks
from web.console.desk import labels as desk_labels
from web.console.desk import loan_places as desk_loan_places
from web.console.desk import loans as desk_loans
from web.console.desk import overdue as desk_overdue
from web.console.desk import papers as desk_papers
from web.console.desk import photos as desk_photos
from web.console.desk import pieces as desk_pieces
from web.console.desk import place as desk_place
from web.console.desk import repairs as desk_repairs
from web.console.desk import scan as desk_scan
from web.console.desk import signing as desk_signing
from web.console.desk import stock as desk_stock
from web.console.desk import swap as desk_swap
from web.console.desk import take_in as desk_take_in
from web.console.desk import takes as desk_takes
from web.console.desk import transfers as desk_transfers
from web.console.desk import wipe as desk_wipe
from web.console.pages import (
    accessibility,
    account,
    acts,
    adoption,
    alarms,
    ambassadors,
    android,
    androids,
    app_requests,
    applications,
    approvals,
    audit,
    city,
    compliance,
    device,
    devices,
    discovery,
    enrollment,
    google,
    guides,
    home,
    kiosk,
    org,
    pausing,
    people,
    phone,
    phones,
    policies,
    privacy,
    profiles,
    quests,
    releases,
    roster,
    settings,
    sign_in,
    stopping,
    terms,
    wiping,
)
from web.console.pages.helpers import Route
from web.console.panic import calls as panic_calls
from web.console.panic import coming as panic_coming
from web.console.panic import planning as panic_planning

ROUTES: tuple[Route, ...] = (
    *home.ROUTES,
    *accessibility.ROUTES,
    *sign_in.ROUTES,
    *city.ROUTES,
    *account.ROUTES,
    *devices.ROUTES,
    *device.ROUTES,
    *phone.ROUTES,
    *android.ROUTES,
    *kiosk.ROUTES,
    *people.ROUTES,
    *adoption.ROUTES,
    *discovery.ROUTES,
    *privacy.ROUTES,
    *org.ROUTES,
    *applications.ROUTES,
    *app_requests.ROUTES,
    *enrollment.ROUTES,
    *policies.ROUTES,
    *profiles.ROUTES,
    *compliance.ROUTES,
    *approvals.ROUTES,
    *acts.ROUTES,
    *wiping.ROUTES,
    *roster.ROUTES,
    *stopping.ROUTES,
    *pausing.ROUTES,
    *audit.ROUTES,
    *google.ROUTES,
    *phones.ROUTES,
    *androids.ROUTES,
    *settings.ROUTES,
    *releases.ROUTES,
    *terms.ROUTES,
    *quests.ROUTES,
    *ambassadors.ROUTES,
    *guides.ROUTES,
    *alarms.ROUTES,
    *panic_calls.ROUTES,
    *panic_planning.ROUTES,
    *panic_coming.ROUTES,
    *desk_place.ROUTES,
    *desk_scan.ROUTES,
    *desk_hand_out.ROUTES,
    *desk_take_in.ROUTES,
    *desk_swap.ROUTES,
    *desk_box.ROUTES,
    *desk_wipe.ROUTES,
    *desk_pieces.ROUTES,
    *desk_signing.ROUTES,
    *desk_papers.ROUTES,
    *desk_stock.ROUTES,
    *desk_labels.ROUTES,
    *desk_transfers.ROUTES,
    *desk_takes.ROUTES,
    *desk_repairs.ROUTES,
    *desk_costs.ROUTES,
    *desk_exchange.ROUTES,
    *desk_cases.ROUTES,
    *desk_case.ROUTES,
    *desk_loans.ROUTES,
    *desk_loan_places.ROUTES,
    *desk_overdue.ROUTES,
    *desk_photos.ROUTES,
    *desk_kiosks.ROUTES,
    *desk_kiosk_setups.ROUTES,
)
"""The table of all addresses."""
