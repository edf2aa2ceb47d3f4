"""Messages and enums of the contract by their names: `types.Server`, `types.VmState.ACTIVE`."""

import enum
import functools
import re

from . import _contract


@functools.lru_cache(maxsize=None)
def _find(name):
    full_name, is_enum = _contract.names()[name]
    if not is_enum:
        return _contract.message(full_name)
    # VM_STATE_ACTIVE of VmState is ACTIVE.
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() + "_"
    values = _contract.enum(full_name).values
    return enum.IntEnum(name, [(value.name.removeprefix(prefix), value.number) for value in values])


def __getattr__(name):
    try:
        return _find(name)
    except KeyError:
        raise AttributeError(f"the contract has no {name}") from None
