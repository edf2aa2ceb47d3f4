"""Boots a server over gRPC, repeats the request, waits until it runs, reads what refusals say, deletes the server, and tells its life.

Needs the generated stubs in PYTHONPATH (see README.md), the OS_* variables of an openrc file, and KILONOVA_GRPC when the
port is not 127.0.0.1:8770.
"""

import json
import os
import sys
import time
import urllib.request
import uuid

import grpc
from google.rpc import error_details_pb2, status_pb2

from kilonova.api.v1 import flavors_service_pb2, flavors_service_pb2_grpc
from kilonova.api.v1 import operations_service_pb2, operations_service_pb2_grpc
from kilonova.api.v1 import servers_service_pb2, servers_service_pb2_grpc
from kilonova.type.v1 import operation_pb2, server_pb2


def log_in():
    """Asks Identity for a token; its catalog tells where Image is."""
    env = os.environ
    user = {"name": env["OS_USERNAME"], "password": env["OS_PASSWORD"], "domain": {"name": env["OS_USER_DOMAIN_NAME"]}}
    project = {"name": env["OS_PROJECT_NAME"], "domain": {"name": env["OS_PROJECT_DOMAIN_NAME"]}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}
    request = urllib.request.Request(
        env["OS_AUTH_URL"] + "/auth/tokens", json.dumps({"auth": auth}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        catalog = json.load(answer)["token"]["catalog"]
        image_url = next(e["url"] for s in catalog if s["type"] == "image" for e in s["endpoints"] if e["interface"] == "public")
        return answer.headers["X-Subject-Token"], image_url


def first_image(image_url, token):
    request = urllib.request.Request(image_url + "/v2/images", headers={"X-Auth-Token": token})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["images"][0]["id"]


def finished(operations, metadata, operation):
    """Waits for the end of an operation, however long it takes."""
    while not operation.done:
        request = operations_service_pb2.WaitOperationRequest(name=operation.name)
        request.timeout.seconds = 30
        operation = operations.WaitOperation(request, metadata=metadata, timeout=60).operation
    return operation


def refusal_of(error):
    """What a refusal says beside its text: the reason to build on, and the fields that are wrong."""
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
    info, fields = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        for message in (info, fields):
            detail.Unpack(message)  # only what it is
    return error.code().name, info.reason, [violation.field for violation in fields.field_violations]


def show_refusal(method, request, metadata):
    """Tells how a call is refused."""
    try:
        method(request, metadata=metadata, timeout=60)
    except grpc.RpcError as error:
        code, reason, fields = refusal_of(error)
        print("refused", code, reason, *fields)
    else:
        sys.exit("that should have been refused")


def watch(events, metadata):
    """What happens to the project's servers, over breaks of the connection: nothing is lost, nothing comes twice."""
    resume_token = ""
    while True:
        try:
            for event in events.WatchEvents(operations_service_pb2.WatchEventsRequest(resume_token=resume_token), metadata=metadata):
                yield event
                resume_token = event.resume_token
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            time.sleep(0.5)


def tell_life(story, server_id):
    """Shows each state of one server, until it is gone."""
    for event in story:
        if event.server.id != server_id:
            continue
        gone = event.type == operations_service_pb2.EVENT_TYPE_SERVER_DELETED
        state = "deleted" if gone else server_pb2.VmState.Name(event.server.vm_state).removeprefix("VM_STATE_")
        print("seen", event.server.generation, state, event.server.task_state)
        if gone:
            return


def main():
    token, image_url = log_in()
    metadata = (("x-auth-token", token),)
    with grpc.insecure_channel(os.environ.get("KILONOVA_GRPC", "127.0.0.1:8770")) as channel:
        flavors = flavors_service_pb2_grpc.FlavorsServiceStub(channel)
        operations = operations_service_pb2_grpc.OperationsServiceStub(channel)
        events = operations_service_pb2_grpc.EventsServiceStub(channel)
        servers = servers_service_pb2_grpc.ServersServiceStub(channel)

        listed = flavors.ListFlavors(flavors_service_pb2.ListFlavorsRequest(name="m1.nano"), metadata=metadata, timeout=30)
        # The first event says that the watch has begun: what happens from then on will be seen.
        story = watch(events, metadata)
        next(story)
        # With a client token the call may be repeated as often as it takes: one server is made.
        request = servers_service_pb2.CreateServersRequest(
            client_token=str(uuid.uuid4()), name="sdk-python", flavor_id=listed.flavors[0].id, image_id=first_image(image_url, token))
        created = servers.CreateServers(request, metadata=metadata, timeout=60, wait_for_ready=True)
        server_id = created.servers[0].id
        print("accepted", server_id)
        again = servers.CreateServers(request, metadata=metadata, timeout=60)
        print("again", again.replayed, again.servers[0].id)
        other = servers_service_pb2.CreateServersRequest()
        other.CopyFrom(request)
        other.name = "another"
        show_refusal(servers.CreateServers, other, metadata)
        nameless = servers_service_pb2.CreateServersRequest(flavor_id=request.flavor_id, image_id=request.image_id)
        show_refusal(servers.CreateServers, nameless, metadata)

        boot = finished(operations, metadata, created.operations[0])
        print("boot", operation_pb2.OperationState.Name(boot.state), boot.error.reason)
        shown = servers.GetServer(servers_service_pb2.GetServerRequest(server_id=server_id), metadata=metadata, timeout=30).server
        print("server", server_pb2.VmState.Name(shown.vm_state), " ".join(a.address for a in shown.addresses))

        deletion = servers.DeleteServer(servers_service_pb2.DeleteServerRequest(server_id=server_id, client_token=str(uuid.uuid4())), metadata=metadata, timeout=30)
        print("deletion", operation_pb2.OperationState.Name(finished(operations, metadata, deletion.operation).state))
        try:
            servers.GetServer(servers_service_pb2.GetServerRequest(server_id=server_id), metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            print("afterwards", *refusal_of(error)[:2])
        tell_life(story, server_id)
        return 0 if boot.state == operation_pb2.OPERATION_STATE_SUCCEEDED else 1


if __name__ == "__main__":
    sys.exit(main())
