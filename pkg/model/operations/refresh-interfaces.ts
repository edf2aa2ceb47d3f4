import { NOTHING, declareOperation } from "../operation-declaration.js";

/** The Network service's news: begun by its external events, and by what is changed there through us. */
export default declareOperation({
  kind: "server.refresh-interfaces",
  summary: "Brings the server's interfaces to what the Network service says of its ports.",
  versions: [1],
  lane: "ports",
  input: NOTHING,
  methods: [
    { name: "CreateExternalEvents" },
    { name: "AddServerSecurityGroup" },
    { name: "RemoveServerSecurityGroup" },
    { name: "AddFixedIp" },
    { name: "RemoveFixedIp" },
    { name: "AddFloatingIp" },
    { name: "RemoveFloatingIp" },
  ],
  rule: "os_compute_api:os-server-external-events:create",
  action: "refresh_interfaces",
  forms: { usual: { taskState: "", contention: "waits", lock: "ignores", needsHost: "last" } },
  ends: [],
});
