"""Limits: what is taken by the statement that decides about a call, and what is given back after its run.

decision = await registry.reserve(digest, name, Estimate(prompt=120, completion=0))
decision.taken                       # of which limits, and whether it was there
limits.settle(decision.taken, core_id, prompt=130, completion=40)   # what the ledger writes when the run has ended
limits.give_back(decision.taken, core_id)                           # or instead of it, when nothing ran
"""

from publishing.limits.drafts import take_for_draft
from publishing.limits.reservation import TAKE, Estimate, Taken, read
from publishing.limits.settlement import SETTLE, SettledRow, give_back, settle

__all__ = ["SETTLE", "TAKE", "Estimate", "SettledRow", "Taken", "give_back", "read", "settle", "take_for_draft"]
