"""Boots a server over gRPC, waits until it runs, and deletes it again.

Needs the generated stubs in PYTHONPATH (see README.md), the OS_* variables of an openrc file, and KILONOVA_GRPC when the
port is not 127.0.0.1:8770.
"""

import json
import os
import sys
import urllib.request
import uuid

import grpc

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


def main():
    token, image_url = log_in()
    metadata = (("x-auth-token", token),)
    with grpc.insecure_channel(os.environ.get("KILONOVA_GRPC", "127.0.0.1:8770")) as channel:
        flavors = flavors_service_pb2_grpc.FlavorsServiceStub(channel)
        operations = operations_service_pb2_grpc.OperationsServiceStub(channel)
        servers = servers_service_pb2_grpc.ServersServiceStub(channel)

        listed = flavors.ListFlavors(flavors_service_pb2.ListFlavorsRequest(name="m1.nano"), metadata=metadata, timeout=30)
        # With a client token the call may be repeated as often as it takes: one server is made.
        request = servers_service_pb2.CreateServersRequest(
            client_token=str(uuid.uuid4()), name="sdk-python", flavor_id=listed.flavors[0].id, image_id=first_image(image_url, token))
        created = servers.CreateServers(request, metadata=metadata, timeout=60, wait_for_ready=True)
        server_id = created.servers[0].id
        print("accepted", server_id)

        boot = finished(operations, metadata, created.operations[0])
        print("boot", operation_pb2.OperationState.Name(boot.state), boot.error.reason)
        shown = servers.GetServer(servers_service_pb2.GetServerRequest(server_id=server_id), metadata=metadata, timeout=30).server
        print("server", server_pb2.VmState.Name(shown.vm_state), " ".join(a.address for a in shown.addresses))

        deletion = servers.DeleteServer(servers_service_pb2.DeleteServerRequest(server_id=server_id), metadata=metadata, timeout=30)
        print("deletion", operation_pb2.OperationState.Name(finished(operations, metadata, deletion.operation).state))
        try:
            servers.GetServer(servers_service_pb2.GetServerRequest(server_id=server_id), metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            print("afterwards", error.code().name)
        return 0 if boot.state == operation_pb2.OPERATION_STATE_SUCCEEDED else 1


if __name__ == "__main__":
    sys.exit(main())
