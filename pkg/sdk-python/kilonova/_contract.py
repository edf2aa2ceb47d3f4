"""The contract, from the descriptors that lie beside this file: message classes, and what is known of each method."""

import functools
import importlib.resources
from typing import NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# A pool of its own: whatever else the program has generated from google/rpc does not get in the way.
_POOL = descriptor_pool.DescriptorPool()
_IDEMPOTENCY_UNKNOWN = descriptor_pb2.MethodOptions.IDEMPOTENCY_UNKNOWN


class Method(NamedTuple):
    """How a method is called."""

    input: type
    output: type
    idempotent: bool
    takes_token: bool


def _load():
    files = descriptor_pb2.FileDescriptorSet.FromString(
        importlib.resources.files(__package__).joinpath("descriptors.binpb").read_bytes()
    )
    for file in files.file:
        _POOL.AddSerializedFile(file.SerializeToString())
    return files


_FILES = _load()
_FACTORY = None if hasattr(message_factory, "GetMessageClass") else message_factory.MessageFactory(_POOL)


@functools.lru_cache(maxsize=None)
def message(full_name):
    """The class of a message, such as "kilonova.type.v1.Server"."""
    descriptor = _POOL.FindMessageTypeByName(full_name)
    return _FACTORY.GetPrototype(descriptor) if _FACTORY else message_factory.GetMessageClass(descriptor)


@functools.lru_cache(maxsize=None)
def method(path):
    """What is known of "/kilonova.api.v1.ServersService/GetServer"."""
    service, name = path.strip("/").split("/")
    descriptor = _POOL.FindServiceByName(service).methods_by_name[name]
    return Method(
        input=message(descriptor.input_type.full_name),
        output=message(descriptor.output_type.full_name),
        idempotent=descriptor.GetOptions().idempotency_level != _IDEMPOTENCY_UNKNOWN,
        takes_token="client_token" in descriptor.input_type.fields_by_name,
    )


def enum(full_name):
    """The descriptor of an enum."""
    return _POOL.FindEnumTypeByName(full_name)


def names():
    """The full names of all messages and enums of the contract, by their short names."""
    found = {}
    for file in _FILES.file:
        if file.package.startswith("kilonova."):
            for one in [*file.message_type, *file.enum_type]:
                found[one.name] = (f"{file.package}.{one.name}", one in file.enum_type)
    return found
