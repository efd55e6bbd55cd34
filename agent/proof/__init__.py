"""The second page that both houses read: what people sign, and when that is enough.

Pure: standard library, no clock, no disk, no network. The cryptography is one function that the caller gives, see
``Verify``; ``agent.crypto.holds`` is one. The agent runs this page in a short-lived child process, the signer, the gateway
and the console in their own: all four judge an order by the same lines. Whatever is not right raises ``RefusedError``
whose ``rule`` is a stable word. Nothing is ever done here.
"""

from agent.proof.envelope import Facts as Facts
from agent.proof.envelope import check_batch as check_batch
from agent.proof.envelope import check_envelope as check_envelope
from agent.proof.envelope import check_order as check_order
from agent.proof.envelope import need as need
from agent.proof.envelope import read_envelope as read_envelope
from agent.proof.pin import Pin as Pin
from agent.proof.pin import read_pin as read_pin
from agent.proof.pin import write_pin as write_pin
from agent.proof.rosters import Approver as Approver
from agent.proof.rosters import Known as Known
from agent.proof.rosters import Roster as Roster
from agent.proof.rosters import check_founding as check_founding
from agent.proof.rosters import check_roster_step as check_roster_step
from agent.proof.rosters import follow as follow
from agent.proof.rosters import open_seal as open_seal
from agent.proof.rosters import pinned as pinned
from agent.proof.rosters import read_roster as read_roster
from agent.proof.signatures import Verify as Verify
from agent.proof.signatures import check_approvals as check_approvals
from agent.proof.signatures import check_proof as check_proof
from agent.proof.signatures import key_id as key_id
from agent.proof.signatures import ordinary_key as ordinary_key
from agent.proof.statements import RefusedError as RefusedError
from agent.proof.statements import read_statement as read_statement
from agent.proof.statements import statement_digest as statement_digest
