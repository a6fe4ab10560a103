"""The verifier's checks have types of their own: a call with an int and bytes is an error before anything runs.

mypy holds this file (`make test` runs it first): it refuses each call below, and an ignore that is not needed too.
"""

from curation.language.parser import StatementParser
from curation.verification.entailment import Entailment
from curation.verification.organs import OrganRelations
from curation.verification.verifier import Verifier


def wrong_calls(entailment: Entailment, verifier: Verifier, parser: StatementParser, relations: OrganRelations) -> None:
    """Never called."""
    entailment.check(1, b"wrong", "liver", ())  # type: ignore[arg-type]
    entailment.check_organ(b"wrong", 1, ())  # type: ignore[arg-type]
    verifier.verify(1, b"wrong", "The liver is normal.")  # type: ignore[arg-type]
    verifier.claims(b"wrong", "liver")  # type: ignore[arg-type]
    verifier.carries(1, (), "liver", b"wrong")  # type: ignore[arg-type]
    parser.parse(b"wrong")  # type: ignore[arg-type]
    relations.stems(1)  # type: ignore[arg-type]


def test_the_right_calls_are_made_through_the_same_methods() -> None:
    entailment = Entailment(StatementParser())
    assert not entailment.check("The liver is normal.", "The liver is normal.", "liver", ()).causes
    assert entailment.check("The liver is normal.", "The liver is normal.", "liver", ()) is entailment.check(
        "The liver is normal.", "The liver is normal.", "liver", ()
    ), "a check is made once"
