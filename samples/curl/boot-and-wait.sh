#!/bin/sh
# Boots a server over Connect with nothing but curl, waits for it, reads a refusal, and deletes it again.
# Needs the OS_* variables of an openrc file, curl, and python3 to read JSON.
set -eu

# json EXPRESSION: a value out of the JSON on standard input, which the expression calls j
json() { python3 -c "import json, sys; j = json.load(sys.stdin); print($1)"; }

# Identity gives a token and says where everything is. Neither password nor token is an argument of a program:
# everybody on this machine sees those.
login=$(mktemp)
headers=$(mktemp)
trap 'rm -f "$login" "$headers"' EXIT
curl -sSf -D - -o "$login" -H 'content-type: application/json' "$OS_AUTH_URL/auth/tokens" -d @- <<END |
{
  "auth": {
    "identity": {"methods": ["password"], "password": {"user": {
      "name": "$OS_USERNAME", "password": "$OS_PASSWORD", "domain": {"name": "$OS_USER_DOMAIN_NAME"}}}},
    "scope": {"project": {"name": "$OS_PROJECT_NAME", "domain": {"name": "$OS_PROJECT_DOMAIN_NAME"}}}
  }
}
END
  tr -d '\r' | sed -n 's/^x-subject-token:/x-auth-token:/Ip' >"$headers"
endpoint() { # endpoint TYPE
  json "[e['url'] for s in j['token']['catalog'] if s['type'] == '$1' for e in s['endpoints'] if e['interface'] == 'public'][0]" <"$login"
}
rpc=$(endpoint compute-rpc)

# rpc METHOD JSON: one call. The answer is JSON, of refusals too.
rpc() {
  curl -sS -H @"$headers" -H 'content-type: application/json' -d "$2" "$rpc/kilonova.api.v1.$1"
}

# What only reads is answered by GET too.
flavor=$(curl -sSf -G -H @"$headers" "$rpc/kilonova.api.v1.FlavorsService/ListFlavors" \
  --data-urlencode encoding=json --data-urlencode 'message={"name": "m1.nano"}' | json "j['flavors'][0]['id']")
image=$(curl -sSf -H @"$headers" "$(endpoint image)/v2/images" | json "j['images'][0]['id']")

client_token=$(python3 -c 'import uuid; print(uuid.uuid4())')
create="{\"clientToken\": \"$client_token\", \"name\": \"sdk-curl\", \"flavorId\": \"$flavor\", \"imageId\": \"$image\"}"
created=$(rpc ServersService/CreateServers "$create")
server=$(echo "$created" | json "j['servers'][0]['id']")
echo "accepted $server"
# Not sure whether it arrived? The same again is the same server.
rpc ServersService/CreateServers "$create" | json "'again', j['replayed'], j['servers'][0]['id']" | tr -d "(),'"
# Refusals have a code, and a reason to build on.
rpc ServersService/CreateServers '{"name": ""}' |
  json "' '.join(['refused', j['code']] + [d['debug']['reason'] for d in j['details'] if d['type'] == 'google.rpc.ErrorInfo'])"

wait_for() { # wait_for OPERATION
  until rpc OperationsService/WaitOperation "{\"name\": \"$1\", \"timeout\": \"30s\"}" >"$login.operation" &&
    [ "$(json "j['operation'].get('done', False)" <"$login.operation")" = True ]; do :; done
  json "j['operation']['state']" <"$login.operation"
  rm -f "$login.operation"
}
echo "boot $(wait_for "$(echo "$created" | json "j['operations'][0]['name']")")"
rpc ServersService/GetServer "{\"serverId\": \"$server\"}" | json "'server ' + j['server']['vmState']"
deletion=$(rpc ServersService/DeleteServer "{\"serverId\": \"$server\"}" | json "j['operation']['name']")
echo "deletion $(wait_for "$deletion")"
rpc ServersService/GetServer "{\"serverId\": \"$server\"}" | json "'afterwards ' + j['code']"
