"""Tells what happens to the project's servers, until it is interrupted. Goes on over restarts of the cloud."""

from kilonova import Kilonova, types


def tell(change):
    name, state = change.now or change.before
    print(change.type, change.id, name, state, flush=True)


def keep(server):
    """All that the cache keeps of a server."""
    return server.name, types.VmState(server.vm_state).name


with Kilonova.from_clouds_yaml() as cloud, cloud.servers.informer(keep=keep, on_change=tell) as servers:
    servers.ready()
    print(len(servers), "servers", flush=True)
    try:
        servers.closed()
    except KeyboardInterrupt:
        pass
