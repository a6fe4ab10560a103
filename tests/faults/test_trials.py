"""The table of trials: what is counted comes together, and what is not as it should be fails."""

import pytest

from tests.faults.trials import PROPERTY, Trial, Trials, TrialTable, recorded, share, table


def test_a_trial_is_good_with_zeros_on_the_right() -> None:
    assert Trial("a", 3, 3).good
    for bad in (Trial("a"), Trial("a", 3, 2), Trial("a", 3, 3, lost=1), Trial("a", 3, 3, doubled=1)):
        assert not bad.good
    assert not Trial("a", 3, 3, let_in=1).good


def test_what_was_lost_fails_the_test_and_stands_in_the_table(request: pytest.FixtureRequest) -> None:
    trials = Trials()
    trials["kept"].passed()
    trials["lost"].tried = trials["lost"].lost = 1
    before = len(request.node.user_properties)
    with pytest.raises(AssertionError, match="lost"):
        recorded(trials, request.node)
    kept = request.node.user_properties[before:]
    del request.node.user_properties[before:]  # so that they are not counted with the others
    assert [name for name, _ in kept] == [PROPERTY, PROPERTY]
    assert [value["name"] for _, value in kept] == ["kept", "lost"]


def test_trials_of_several_tests_add_up() -> None:
    gathered = TrialTable()
    for trial in (Trial("a", 2, 2), Trial("b", 1, 1), Trial("a", 1_000, 999, lost=1)):
        gathered.add(trial)
    assert table(list(gathered.rows.values())) == [
        "| trial | tried | survived | lost | doubled | let in |",
        "| ----- | ----: | -------: | ---: | ------: | -----: |",
        "| a     | 1,002 |    1,001 |    1 |       0 |      0 |",
        "| b     |     1 |        1 |    0 |       0 |      0 |",
    ]


def test_a_share_is_the_same_in_each_run_and_lies_all_over() -> None:
    assert share(of_all=5, of_every_run=9) == [0, 1, 2, 3, 4]
    drawn = share(of_all=10_000, of_every_run=20)
    assert drawn == share(of_all=10_000, of_every_run=20)
    assert len(set(drawn)) in (20, 10_000) and min(drawn) < 3_000 and max(drawn) > 7_000
