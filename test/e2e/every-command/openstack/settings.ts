import type { Row } from "../row.js";

/** What is said of a server, and what was done with it. */
export const settings: readonly Row[] = [
  {
    command: "server set",
    args: ["--name={name}-new", "--property=colour=blue", "{server}"],
    at: "2.1",
    becomes: { name: /-new$/, metadata: { colour: "blue" } },
  },
  {
    command: "server set",
    args: ["--description=after", "--tag=green", "--hostname=renamed", "{described}"],
    becomes: { description: "after", tags: ["green"], "OS-EXT-SRV-ATTR:hostname": "renamed" },
  },
  { command: "server set", args: ["--state=error", "{server}"], by: "admin", becomes: { status: "ERROR" } },
  {
    command: "server set",
    args: ["--state=active", "{server}"],
    by: "admin",
    from: "ERROR",
    becomes: { status: "ACTIVE" },
  },
  {
    command: "server set",
    args: ["--state=error", "{server}"],
    refused: /os-admin-actions:reset_state|HTTP 403/,
    because: "only administrators may",
  },
  {
    command: "server set",
    args: ["--password=open-sesame", "{server}"],
    refused: /QEMU guest agent is not enabled/,
    because: "the image does not ask for an agent; test/e2e/server-actions.test.ts sets one inside a guest",
  },
  {
    command: "server unset",
    args: ["--property=colour", "{meta}"],
    at: "2.1",
    becomes: { metadata: { colour: undefined, size: "small" } },
  },
  {
    command: "server unset",
    args: ["--tag=red", "--description", "{tagged}"],
    becomes: { tags: ["blue"], description: /^(null)?$/ },
  },
  {
    command: "server event list",
    args: ["--long", "{server}"],
    json: { Action: "create", "Request ID": /^req-/, "Start Time": /^20/ },
  },
  {
    command: "server event list",
    args: ["--changes-since=2020-01-01", "--changes-before=2100-01-01", "--limit=1", "{server}"],
    json: { Action: "create" },
  },
  {
    command: "server event show",
    args: ["{server}", "{request}"],
    json: { action: "create", events: /compute__do_build_and_run_instance/ },
  },
  { command: "server event show", args: ["{server}", "{request}"], at: "2.1", json: { action: "create" } },
  {
    command: "server show",
    args: ["{name}"],
    at: "2.1",
    json: { status: "ACTIVE", addresses: /private/, flavor: /m1.nano/, image: /kilonova-blank/ },
  },
  {
    command: "server show",
    args: ["{server}"],
    json: { status: "ACTIVE", locked: false, tags: [], flavor: /m1.nano/ },
  },
  {
    command: "server show",
    args: ["--diagnostics", "{server}"],
    by: "admin",
    at: "2.1",
    json: { memory: /./ },
  },
  { command: "server show", args: ["--diagnostics", "{server}"], by: "admin", json: { state: "running" } },
  { command: "server show", args: ["--topology", "{server}"], by: "admin", json: { topology: /nodes/ } },
];
