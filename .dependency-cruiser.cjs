/** Who may import whom. The rooms are described in docs/architecture.md. */
const service = "(api|cells|conductor|scheduler|placement|compute|gateway|gateway-placement|standalone)";
const test = "\\.test\\.ts$|/testing/|^pkg/testkit/";
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
      name: "only-rpc-and-adapters-see-gen",
      severity: "error",
      from: { path: "^pkg/[^/]+/domain/|^pkg/model/", pathNot: test },
      to: { path: "^pkg/platform/|/adapters/" },
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
