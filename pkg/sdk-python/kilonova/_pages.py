"""Lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from ._errors import KilonovaError

Row = TypeVar("Row")
Page = TypeVar("Page")


class Pages(Generic[Row, Page]):
    """A list, read as it is needed: iterating gives its rows, and asks for the next page when one is used up."""

    def __init__(self, read, items):
        self._read = read
        self._items = items

    def pages(self) -> Iterator[Page]:
        """Whole answers, for what they say beside the rows, such as `unreachable_cells`."""
        token = None
        while token != "":
            page = self._read(token)
            yield page
            token = page.next_page_token

    def __iter__(self) -> Iterator[Row]:
        for page in self.pages():
            yield from getattr(page, self._items)

    def first(self) -> Row:
        """The first row. Raises KilonovaError NOT_FOUND when there is none."""
        for row in self:
            return row
        raise KilonovaError("the list is empty", "NOT_FOUND")
