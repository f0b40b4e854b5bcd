"""What a practice shop tells when it is asked through its own API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from server.practice.caller import Caller


class Reader:
    """Asks a shop with one token.

    Args:
        call: reaches the shop.
        token: whose eyes it is seen with.
    """

    def __init__(self, call: Caller, token: str) -> None:
        self._call = call
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def get(self, path: str, **query: str) -> Any:
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        status, body = await self._call("GET", path, self._headers, query=text)
        assert status == 200, (path, status, body[:200])
        return json.loads(body)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        status, answer = await self._call("POST", path, self._headers, json.dumps(body).encode())
        assert status in (200, 201, 202), (path, status, answer[:200])
        return json.loads(answer)

    async def every(self, path: str, **query: str) -> list[Any]:
        """All rows of a list, page by page."""
        rows: list[Any] = []
        page = await self.get(path, limit="200", **query)
        rows += page["items"]
        while page["next"]:
            page = await self.get(path, limit="200", cursor=page["next"], **query)
            rows += page["items"]
        return rows

    async def orders(self) -> list[Any]:
        return await self.every("/v1/orders")

    async def whole_orders(self) -> list[Any]:
        """Every order with all that is known of it."""
        return [await self.get(f"/v1/orders/{order['number']}") for order in await self.orders()]

    async def entries(self) -> list[Any]:
        return await self.every("/v1/activity", internal="true", folded="false")

    async def told(self) -> list[tuple[Any, ...]]:
        """Orders and entries without the ids, which are made at random: what two like shops agree in."""
        seen: list[tuple[Any, ...]] = [
            (
                order["number"],
                order["customer"] and order["customer"]["email"],
                order["total"]["amount"],
                order["total"]["currency"],
                order["payment_status"],
                order["fulfilment_status"],
                order["attention"],
                order["created_at"],
                order["updated_at"],
            )
            for order in await self.orders()
        ]
        seen += [
            (
                entry["occurred_at"],
                entry["inserted_at"],
                entry["type"],
                entry["level"],
                entry["message"],
                (entry["order"] or {}).get("number", ""),
                entry["actor"]["kind"],
                entry["resolved_at"] or "",
            )
            for entry in await self.entries()
        ]
        return sorted(seen, key=repr)
