"""Publishing from the admin: what widens is asked about first, with numbers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from identity.actors import Actor
from publishing import actions
from publishing.errors import WideningNotAgreed
from publishing.models import Core, Publication
from publishing.reach import measure_reach, question_about


def publish_if_agreed(
    core: Core, *, group_ids: list[str], agreed: Collection[str], actor: Actor, at: datetime
) -> tuple[Publication, bool]:
    """Publish as `actions.publish` does, inside the caller's transaction, which a refusal takes back.

    `agreed` are the questions that were answered by yes. Each holds its numbers: when they have changed since, it is
    asked again, as `WideningNotAgreed`.
    """
    before = measure_reach(Publication.objects.filter(core=core).first())
    publication, is_new = actions.publish(core, group_ids=group_ids, actor=actor, at=at)
    question = question_about(before, measure_reach(publication))
    if question and question not in agreed:
        raise WideningNotAgreed(question)
    return publication, is_new
