"""What the generated classes are made of."""

from . import _contract
from ._operations import PendingOperation, Started
from ._pages import Pages
from ._watch import Watch

_OPERATION = "kilonova.type.v1.Operation"


class Resource:
    """One method for each manner of calling. `fields` are those of the request."""

    def __init__(self, caller):
        self._caller = caller

    def _call(self, path, fields, timeout):
        return self._caller.unary(path, fields, timeout)

    def _start(self, path, operations, fields, timeout):
        return Started(self._caller, self._caller.unary(path, fields, timeout), operations)

    def _list(self, path, items, fields, timeout):
        def read(token):
            return self._caller.unary(path, fields if token is None else {**fields, "page_token": token}, timeout)

        field = _contract.method(path).output.DESCRIPTOR.fields_by_name[items]
        if field.message_type.full_name == _OPERATION:
            return _Operations(self._caller, read, items)
        return Pages(read, items)

    def _follow(self, path, fields):
        return Watch(self._caller, path, fields)


class _Operations(Pages):
    """Rows that can be waited for."""

    def __init__(self, caller, read, items):
        super().__init__(read, items)
        self._caller = caller

    def __iter__(self):
        for operation in super().__iter__():
            yield PendingOperation(self._caller, operation)
