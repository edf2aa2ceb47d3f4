/** Who may import whom. The rooms are described in docs/architecture.md. */
const service =
  "(api|cells|conductor|scheduler|placement|compute|console|gateway|gateway-placement|standalone)";
const test = "\\.test\\.ts$|/testing/|^pkg/testkit/";
/** Pure rooms: values in, values out. */
const decisions =
  "^pkg/(model|policy)/|^pkg/[^/]+/domain/|^pkg/[^/]+/[^/]+/domain/|^pkg/scheduler/(filters|weighers)/";
/**
 * Where protobuf's messages may be seen. Records of servers, hosts and operations are messages, stored as
 * they are, so the services that keep and show them work on messages. All others have words of their own and
 * translate at the edge: their adapters, the agent's part that talks to cells, and the RPC platform.
 */
const messages =
  "^pkg/(model|api|cells|conductor|gateway|gateway-placement|sdk)/|/adapters/|/wire\\.ts$|^pkg/platform/rpc/|^pkg/compute/(agent|commands|network)/";
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: { pathNot: test }, to: { circular: true } },
    {
      name: "kernel-imports-nothing",
      severity: "error",
      from: { path: "^pkg/kernel/", pathNot: test },
      to: { pathNot: "^pkg/kernel/" },
    },
    {
      name: "platform-knows-no-service",
      severity: "error",
      from: { path: "^pkg/platform/", pathNot: test },
      to: { path: `^pkg/${service}/` },
    },
    {
      name: "decisions-know-no-effects",
      severity: "error",
      from: { path: decisions, pathNot: test },
      to: { path: "^pkg/platform/|/(adapters|ops|engine|steps|store|rpc)/|/wire\\.ts$" },
    },
    {
      name: "decisions-ask-no-machine",
      severity: "error",
      from: { path: decisions, pathNot: test },
      // Hashes and the syntax of addresses are as pure as what is written here.
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|net)$" },
    },
    {
      name: "gen-only-where-messages-are-spoken",
      severity: "error",
      from: { path: "^pkg/", pathNot: [test, messages] },
      to: { path: "^gen/" },
    },
    {
      name: "services-meet-through-protos",
      severity: "error",
      from: { path: `^pkg/${service}/`, pathNot: `${test}|/wire\\.ts$` },
      to: {
        path: `^pkg/${service}/(?!index\\.ts$)`,
        pathNot: ["^pkg/$1/", "^pkg/placement/index/index\\.ts$", "^pkg/compute/commands/"],
      },
    }, // placement/index: the candidate library that schedulers embed; compute/commands: what conductors send
    {
      name: "commands-are-contracts",
      severity: "error",
      from: { path: "^pkg/compute/commands/", pathNot: test },
      to: {
        path: "^pkg/compute/",
        pathNot: ["^pkg/compute/commands/", "^pkg/compute/errors\\.ts$"],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "no-test-code-in-production",
      severity: "error",
      from: { path: "^(pkg|cmd)/", pathNot: test },
      to: { path: test },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules" },
  },
};
