// Joins both tables of the public API with what serves them, as a starting process does: REST's routes with
// the gateway's resources, the methods of the contract with the api's operations. Nothing is called.
import { apiConfigSchema } from "../pkg/api/config.js";
import type { ApiDeps } from "../pkg/api/ports.js";
import { buildApi } from "../pkg/api/wire.js";
import { serversOfGateway } from "../pkg/gateway/ports.js";
import { allOperations } from "../pkg/gateway/resources/index.js";
import { Endpoints } from "../pkg/gateway/routing/endpoints.js";
import { FragmentCache } from "../pkg/gateway/view/fragments.js";
import { catalogue } from "../pkg/model/operation-catalogue.js";
import { createPolicy } from "../pkg/policy/index.js";

/** Stands for what is only asked in a call. */
const nowhere = { client: () => ({}) };
const { bindings } = buildApi({
  config: apiConfigSchema.parse({}),
  policy: createPolicy(),
  tokenKeys: [{ id: "none", key: Buffer.alloc(32) }],
  cells: nowhere,
  scheduler: nowhere,
} as unknown as ApiDeps);
new Endpoints(allOperations({} as Parameters<typeof allOperations>[0], new FragmentCache(0)));

const served = new Set(
  bindings.flatMap(({ methods }) => methods.filter((one) => one.served).map(({ method }) => method)),
);
const asked = new Set<string>(Object.values(serversOfGateway.methods).map(({ name }) => name));
const wrong = catalogue.all
  .flatMap(({ methods }) => methods)
  .flatMap(({ name, key }) => [
    ...(served.has(name) ? [] : [`${name} begins an operation, and the api does not serve it`]),
    ...(key === undefined || asked.has(name) ? [] : [`${name} is not among the gateway's methods`]),
  ]);
for (const one of wrong) console.error(one);
process.exitCode = wrong.length === 0 ? 0 : 1;
