"""What would be sent of an order, and to whom."""

from __future__ import annotations

from tests.server.fulfilment.works import ADDRESS, BOTH, Works


def test_products_of_two_makers_are_refused_in_words(works: Works) -> None:
    order = works.order(
        items=[
            {"name": "Wool socks S", "quantity": 1, "unit_price": 1250, "variant_id": works.variants()[0]},
            {"name": "Home-made", "quantity": 1, "unit_price": 100, "product_id": _own_product(works)},
        ]
    )
    works.run_all()
    assert works.server.count("submit") == 0
    told = works.entries(order, "order.submission_failed")
    assert len(told) == 1
    assert f"made by {works.label} and the shop itself" in told[0]["message"]
    assert works.submit(order).json()["code"] == "permanent_and_unchanged"
    assert works.submission(order)["would_send"][1]["trouble"] == "is made by the shop itself"


def test_a_line_that_nobody_knows_and_an_address_that_lacks_something(works: Works) -> None:
    order = works.order(
        items=[{"name": "Mystery", "quantity": 1, "unit_price": 100}],
        customer={
            "email": "bea@example.com",
            "name": "Bea Buyer",
            "address": {k: v for k, v in ADDRESS.items() if k not in ("line1", "country")},
        },
    )
    works.run_all()
    told = works.entries(order, "order.submission_failed")[0]["message"]
    assert "Mystery is not in the catalogue" in told
    assert "The address lacks a street and a country." in told
    assert works.server.count("submit") == 0


@BOTH
def test_a_line_may_name_its_goods_in_several_ways(works: Works) -> None:
    theirs, first = works.thing.product_id, works.thing.variants[0]
    ways = [
        {"variant_id": works.variants()[0]},
        {"product_id": theirs, "variant_id": first},
        {"variant_id": first},
        {"product_id": "wool-socks", "variant_id": first},
    ]
    for way in ways:
        order = works.order(items=[{"name": "Socks", "quantity": 1, "unit_price": 1, **way}])
        assert works.submission(order)["would_send"] == [
            {"name": "Socks", "quantity": 1, "variant_id": first, "trouble": None}
        ]
    works.run()
    assert len(works.server.orders) == len(ways)


def test_a_provider_that_is_not_connected_says_so(works: Works) -> None:
    order = works.order()
    works.put({f"{works.name}.token": None})
    works.run_all()
    assert "is not connected" in works.entries(order, "order.submission_failed")[0]["message"]
    assert works.rows(order)[0].state == "prepared"
    works.put({f"{works.name}.token": works.server.token})
    assert works.submit(order, hold_seconds=0).status_code == 202
    works.run()
    assert works.get(order.id).fulfilment_status == "submitted"


def _own_product(works: Works) -> str:
    answer = works.http.post("/v1/products", json={"slug": "home-made", "name": "Home-made", "variants": []})
    found: str = answer.json()["id"]
    return found
