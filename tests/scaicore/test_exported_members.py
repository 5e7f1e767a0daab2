"""The package has a face; whatever is imported into it is meant to be seen."""

import types

import scaicore


def test_every_member_of_the_face_is_listed_and_every_listed_one_exists():
    seen = {
        name
        for name, member in vars(scaicore).items()
        if not name.startswith("_") and not isinstance(member, types.ModuleType)
    }
    assert seen == set(scaicore.__all__)
