import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publicContract } from "../../../pkg/api/contract.gen.js";
import { catalogue } from "../../../pkg/model/operation-catalogue.js";
import { parseRoutes } from "../../../pkg/gateway/routing/routes.js";
import { routeTable } from "../../../pkg/gateway/routing/table.js";
import { translations } from "../../../pkg/gateway/testing/translations/index.gen.js";
import { packageRoot } from "../../../pkg/platform/service/index.js";

const ROW = /^\| `([A-Z]+ [^`]+)` +\| ([^|]*[^| ]) +\| (?:`(\w+\/\w+)`|no: .+) +\|$/;

/** Methods of which REST has no like. */
const BEYOND_REST = [
  "OperationsService/GetOperation",
  "OperationsService/ListOperations",
  "OperationsService/WaitOperation",
  "OperationsService/CancelOperation",
  "EventsService/WatchEvents",
  "SchedulingService/ExplainServer",
  "SchedulingService/WhatIf",
];

/** Those of actions that Nova does not have are told of in docs/operations.md. */
const OURS = catalogue.all.flatMap(({ methods }) => methods.filter(({ ours }) => ours === true));
const OUR_ROUTES = new Set(OURS.map(({ key }) => `POST /servers/{id}/action#${key}`));

describe("docs/rest-and-grpc.md", () => {
  const rows = readFileSync(join(packageRoot(), "docs", "rest-and-grpc.md"), "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, route, versions, rpc] = ROW.exec(line) ?? [];
      return route === undefined || versions === undefined ? [] : [{ route, versions, rpc }];
    });
  const methods = publicContract.flatMap((definition) =>
    Object.values(definition.methods).map(
      ({ name }) => `${definition.fullName.replace("kilonova.api.v1.", "")}/${name}`,
    ),
  );

  it("tells of each route of the API that was not removed, with its microversions", () => {
    const versions = ({ min, max }: { readonly min: number; readonly max: number }): string =>
      max === Infinity ? `2.${min} on` : `2.${min} to 2.${max}`;
    const routes = parseRoutes(routeTable)
      .filter(({ kind }) => kind !== "gone")
      .map(({ key, span }) => ({ route: key, versions: versions(span) }));
    assert.deepEqual(
      rows.map(({ route, versions: told }) => ({ route, versions: told })),
      routes,
    );
  });

  it("names the method that the gateway calls, for every route that is served", () => {
    const told = new Map(rows.map(({ route, rpc }) => [route, rpc?.split("/")[1]]));
    const served = translations
      .filter(([route]) => !OUR_ROUTES.has(route))
      // A change that changes nothing is answered by reading.
      .filter(([route, , , method]) => !(route === "PUT /servers/{id}" && method === "getServer"))
      // What only REST has is no part of the contract.
      .filter(([, , , method]) => !/^(addresses|groups)\./.test(method))
      // Lists go through compat, whose methods have the names of the public ones.
      .map(([route, , , method]) => [route, method.replace("lists.", "")] as const)
      .map(([route, name]) => [route, name.charAt(0).toUpperCase() + name.slice(1)] as const);
    assert.deepEqual(
      served.filter(([route, method]) => told.get(route) !== method),
      [],
    );
  });

  it("names methods that the contract has, and all of them", () => {
    const named = new Set(rows.flatMap(({ rpc }) => rpc ?? []));
    assert.deepEqual(
      [...named].filter((rpc) => !methods.includes(rpc)),
      [],
    );
    assert.deepEqual(
      methods.filter((method) => !named.has(method)).sort(),
      [...BEYOND_REST, ...OURS.map(({ name }) => `ServersService/${name}`)].sort(),
    );
  });
});
