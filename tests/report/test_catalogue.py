from dataclasses import replace

import pytest

from recthinker.errors import TableContractError
from recthinker.report.catalogue import Catalogue, Mix, Order, TopItem
from tests.report import small_night


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(small_night.rows())


def test_reach_counts_different_items(catalogue: Catalogue) -> None:
    # published: u1 i4 i2, u2 i3 i4, u3 i2 i4; candidates: i2 to i5
    assert (catalogue.size, catalogue.candidate_items, catalogue.recommended_items) == (5, 4, 3)


def test_popularity_bins_double_and_shares_sum_to_one(catalogue: Catalogue) -> None:
    popularity = catalogue.popularity()
    assert [(b.low, b.high) for b in popularity.bins] == [(0, 0), (1, 1), (2, 3), (4, 7), (8, 15)]
    # one item a bin; histories: 5 of i1 (8 events), 1 of i2 (4), 1 of i3 (2)
    # published: 3 of i4 (1 event), 2 of i2 (4), 1 of i3 (2)
    assert [b.catalogue for b in popularity.bins] == [1 / 5] * 5
    assert [b.histories for b in popularity.bins] == [0, 0, 1 / 7, 1 / 7, 5 / 7]
    assert [b.recommended for b in popularity.bins] == [0, 3 / 6, 1 / 6, 2 / 6, 0]
    assert (popularity.catalogue_median, popularity.histories_median) == (2, 8)
    assert popularity.recommended_median == (1 + 2) / 2


def test_categories_are_shares_of_events_and_of_recommendations(catalogue: Catalogue) -> None:
    # Crime: i1, i2; Drama: i2, i3, i5
    assert catalogue.categories(most=9) == [Mix("Crime", 6 / 7, 2 / 6), Mix("Drama", 2 / 7, 3 / 6)]
    assert [mix.name for mix in catalogue.categories(most=1)] == ["Crime"]


def test_sources_of_candidates_and_of_what_was_published(catalogue: Catalogue) -> None:
    # als offers each user's first candidate; it is published for u1 (i2), u2 (i3) and u3 (i2)
    assert catalogue.sources() == [Mix("popularity", 1.0, 1.0), Mix("als", 3 / 9, 3 / 6)]


def test_order_against_the_candidates(catalogue: Catalogue) -> None:
    # places in the candidate order: u1 3 1, u2 1 2, u3 1 2; the first two would have been published
    assert catalogue.order() == Order(kept_share=5 / 6, first_kept_share=2 / 3, median_position=1.5)


def test_top_items_by_users_then_title(catalogue: Catalogue) -> None:
    assert catalogue.top_items(most=2) == [
        TopItem("Plan B", 3, 1.0, 1),
        TopItem("<script>alert('x')</script>", 2, 2 / 3, 4),
    ]


def test_recommendation_that_was_no_candidate_is_refused() -> None:
    rows = small_night.rows()
    strangers = rows.candidates.filter([True, True, False])
    with pytest.raises(TableContractError, match="candidates of their users only, found 2 others"):
        Catalogue(replace(rows, candidates=strangers))


def test_candidate_outside_the_catalogue_is_refused() -> None:
    rows = small_night.rows()
    with pytest.raises(TableContractError, match=r"table candidates.*item_id=i5"):
        Catalogue(replace(rows, metadata=rows.metadata.slice(0, 4)))
