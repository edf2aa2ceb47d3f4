import { ScalarType, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import {
  FeatureSet_FieldPresence,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PolicyErrors, ruleDefaults } from "../policy/index.js";
import type { RuleName } from "../policy/index.js";
import { CellsErrors } from "../cells/errors.js";
import * as apiErrors from "./errors.js";
import { declaredRules, rulesOf } from "./rights/declared-rules.js";
import type { DeclaredRules } from "./rights/declared-rules.js";
import type { Channel, MethodBinding, ServiceDefinition } from "../platform/rpc/index.js";
import { packageRoot } from "../platform/service/index.js";
import { anApi, as, member } from "./testing/an-api.js";
import { OperationsServiceDefinition } from "../../gen/kilonova/api/v1/operations_service.js";
import { catalogue } from "../model/operation-catalogue.js";
import { subjectOf } from "../model/operation-declaration.js";
import type { OperationDeclaration } from "../model/operation-declaration.js";
import { ServersServiceDefinition } from "../../gen/kilonova/api/v1/servers_service.js";
import { NovaEvacuation } from "../../gen/kilonova/compat/v1/nova_moves.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import { publicErrors } from "./public-errors.js";
import { publicContract } from "./contract.gen.js";
import { CommonErrors, KilonovaError } from "../kernel/index.js";
import type { ErrorFactory } from "../kernel/index.js";

type Method = ServiceDefinition["methods"][string];

const methods = publicContract.flatMap((definition) =>
  Object.entries(definition.methods).map(([key, method]) => ({ definition, key, method })),
);
const fieldsOf = (type: Method["requestType"]): object => type.fromPartial({} as never) as object;
const protos = join(packageRoot(), "proto", "kilonova", "api", "v1");

/** Lists of what is always small: one page. */
const ONE_PAGE = new Set(["ListServerTags", "ListAvailabilityZones"]);
/** Made anew by each call, on purpose; or told apart by what they name. */
const WITHOUT_TOKEN = new Set([
  "CreateRemoteConsole",
  "CreateFlavor",
  "CreateKeyPair",
  "CancelOperation",
  "AbortMigration",
  "ForceCompleteMigration",
]);

const TEXTS: ReadonlySet<number> = new Set([
  FieldDescriptorProto_Type.STRING,
  FieldDescriptorProto_Type.BYTES,
]);
const descriptors = readFileSync(join(packageRoot(), "gen", "descriptors.binpb"));

/** Every message that a user sends or gets, also inside others. */
function messagesOfUsers(): Set<DescMessage> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  const found = new Set<DescMessage>();
  const add = (message: DescMessage): void => {
    if (found.has(message)) return;
    found.add(message);
    for (const field of message.fields) if (field.message !== undefined) add(field.message);
  };
  for (const { fullName } of publicContract)
    for (const { input, output } of registry.getService(fullName)?.methods ?? assert.fail(fullName))
      [input, output].forEach(add);
  return found;
}

const isText = (field: DescField): boolean =>
  field.fieldKind === "scalar" && (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES);

/** What the contract says of each field, by its message's full name. */
function commentsByField(): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  for (const file of fromBinary(FileDescriptorSetSchema, descriptors).file) {
    for (const { path, leadingComments } of file.sourceCodeInfo?.location ?? []) {
      const [kind, message = 0, part, field = 0] = path;
      // As descriptor.proto numbers them: a field of a message of the file.
      if (kind !== 4 || part !== 2 || path.length !== 4) continue;
      const of = file.messageType[message];
      said.set(`${file.package}.${of?.name}.${of?.field[field]?.name}`, leadingComments);
    }
  }
  return said;
}

async function failureOf(
  channel: Channel,
  definition: ServiceDefinition,
  key: string,
  method: Method,
): Promise<unknown> {
  const client = channel.client(definition) as Readonly<
    Record<string, (ctx: unknown, request: unknown) => Promise<unknown> | AsyncIterable<unknown>>
  >;
  try {
    const answer = client[key]?.(as(member), {});
    if (!method.responseStream) return await answer;
    for await (const one of answer as AsyncIterable<unknown>) return one;
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("the public contract", () => {
  const { service, channel, userChannel } = anApi();
  const bindings: readonly MethodBinding[] = service.bindings.flatMap((one) => one.methods);

  const publicBindings = bindings.filter(({ path }) => path.startsWith("/kilonova.api.v1."));

  it("has nothing that only Nova's API needs: that is the gateway's alone", async () => {
    const compat = bindings.filter(({ path }) => path.startsWith("/kilonova.compat.v1."));
    assert.equal(compat.length, 13);
    for (const { path, allowedCallers } of compat) assert.deepEqual([...allowedCallers], ["gateway"], path);
    for (const { method } of methods)
      for (const field of ["marker", "skip", "matchNothing", "allFiltersChecked", "enabledSwitches"])
        assert.ok(!(field in fieldsOf(method.requestType)), `${method.name}: ${field}`);
    const user = userChannel.client(NovaListsServiceDefinition);
    await assert.rejects(user.listServers(as(member), { list: {} }), { reason: "CALLER_NOT_ALLOWED" });
    const gateway = channel.client(NovaListsServiceDefinition);
    assert.deepEqual((await gateway.listServers(as(member), { list: {} })).servers, []);
    await assert.rejects(gateway.listServers(as(member), {}), { reason: "INVALID_REQUEST" });
  });

  it("is bound whole, for users and the gateway", () => {
    assert.deepEqual(
      publicBindings.map(({ path }) => path).sort(),
      methods.map(({ definition, method }) => `/${definition.fullName}/${method.name}`).sort(),
    );
    for (const { path, allowedCallers } of publicBindings)
      assert.deepEqual([...allowedCallers].sort(), ["gateway", "user"], path);
  });

  it("answers NOT_SERVED, with the method's name, for what nothing implements", async () => {
    const unserved = methods.filter(({ definition, method }) =>
      bindings.some(({ path, served }) => !served && path === `/${definition.fullName}/${method.name}`),
    );
    for (const { definition, key, method } of unserved) {
      const error = await failureOf(channel, definition, key, method);
      assert.ok(error instanceof KilonovaError, key);
      assert.deepEqual(
        [error.kind, error.reason, error.facts["method"]],
        ["unsupported", "NOT_SERVED", `${definition.fullName}/${method.name}`],
      );
    }
  });

  it("names policy rules that exist", () => {
    const known = new Set(Object.keys(ruleDefaults));
    for (const { method } of methods)
      for (const rule of rulesOf(method)) assert.ok(known.has(rule), `${method.name}: ${rule}`);
    assert.deepEqual(
      methods.filter(({ method }) => rulesOf(method).length === 0).map(({ method }) => method.name),
      [],
    );
  });

  it("marks what must not be printed", () => {
    const fields = fromBinary(FileDescriptorSetSchema, descriptors)
      .file.filter((one) => /^kilonova\.(api|type)\.v1$/.test(one.package))
      .flatMap((one) => one.messageType)
      .flatMap(({ name, field }) => field.map((one) => ({ path: `${name}.${one.name}`, field: one })))
      .filter(({ field }) => TEXTS.has(field.type));
    const secret = fields.filter(({ field }) => /password|private_key|^user_data$|^token$/.test(field.name));
    assert.ok(secret.length >= 10, String(secret.length));
    assert.deepEqual(
      secret.filter(({ field }) => field.options?.debugRedact !== true).map(({ path }) => path),
      [],
    );
  });

  it("tells what is absent by presence, and has types for what has parts", () => {
    const found = [...messagesOfUsers()].flatMap(({ typeName, fields }) =>
      fields
        .filter(({ name }) => /^has_|_json$/.test(name))
        .map(({ name }) => `${typeName.replace(/^.*\./, "")}.${name}`),
    );
    // The one is the hypervisor's own word, the other what was asked: whether some host would do.
    assert.deepEqual(found, ["Hypervisor.cpu_info_json", "SchedulingExplanation.has_host"]);
  });

  it("leaves no text empty to say that there is none, but for tokens of lists and calls", () => {
    const said = commentsByField();
    const found = [...messagesOfUsers()].flatMap(({ typeName, fields }) =>
      fields
        .filter((field) => field.presence === FeatureSet_FieldPresence.IMPLICIT && isText(field))
        .map(({ name }) => `${typeName}.${name}`)
        .filter(
          (path) => /\bempty\b|""/i.test(said.get(path) ?? assert.fail(path)) && !path.endsWith("_token"),
        ),
    );
    assert.deepEqual(found, []);
  });

  it("filters by what is given, not by what is not empty", () => {
    const filters = [...messagesOfUsers()].filter(
      ({ typeName }) => /^kilonova\.api\.v1\.List\w+Request$/.test(typeName) || typeName.endsWith("Filter"),
    );
    assert.ok(filters.length >= 10, String(filters.length));
    const found = filters.flatMap(({ typeName, fields }) =>
      fields
        .filter((field) => field.presence === FeatureSet_FieldPresence.IMPLICIT && isText(field))
        .map(({ name }) => `${typeName.replace(/^.*\./, "")}.${name}`)
        .filter((path) => !/\.(page_token|server_id)$/.test(path)),
    );
    assert.deepEqual(found, []);
  });

  it("keeps what is stored apart from what users see", () => {
    const stored = [...messagesOfUsers()].filter(({ typeName }) => typeName.startsWith("kilonova.cells."));
    assert.deepEqual(stored, []);
  });

  it("pages every list", () => {
    for (const { method } of methods.filter(
      ({ method: { name } }) => name.startsWith("List") && !ONE_PAGE.has(name),
    )) {
      for (const field of ["pageSize", "pageToken"])
        assert.ok(field in fieldsOf(method.requestType), `${method.name} lacks ${field}`);
      assert.ok("nextPageToken" in fieldsOf(method.responseType), method.name);
    }
  });

  it("takes a client token where something is created or an operation begins", () => {
    const begins = ({ name, responseType }: Method): boolean =>
      /^(Create|Attach)/.test(name) ||
      (!/^(Get|List|Wait|Watch)/.test(name) && "operation" in fieldsOf(responseType));
    for (const { method } of methods.filter(
      ({ method: one }) => begins(one) && !WITHOUT_TOKEN.has(one.name),
    )) {
      assert.ok("clientToken" in fieldsOf(method.requestType), `${method.name} lacks client_token`);
    }
  });

  it("lets whoever may begin an operation ask to cancel it, and see those of hosts and of the cloud", () => {
    const declared = (name: string): DeclaredRules => {
      const { method } = methods.find((one) => one.method.name === name) ?? assert.fail(name);
      return declaredRules(name, method);
    };
    const beginning = (some: (one: OperationDeclaration) => boolean): RuleName[] => [
      ...new Set(catalogue.all.filter(some).map(({ rule }) => rule)),
    ];
    assert.deepEqual(declared("CancelOperation"), {
      deciding: undefined,
      asked: new Set(beginning(() => true)),
    });
    const show: RuleName = "os_compute_api:os-instance-actions:show";
    const beyondServers = beginning((one) => subjectOf(one) !== "server");
    assert.ok(beyondServers.length > 0);
    for (const name of ["GetOperation", "WaitOperation"])
      assert.deepEqual(declared(name), { deciding: show, asked: new Set([show, ...beyondServers]) });
    const list: RuleName = "os_compute_api:os-instance-actions:list";
    const ofAll: RuleName = "os_compute_api:servers:detail:get_all_tenants";
    assert.deepEqual(declared("ListOperations"), {
      deciding: list,
      asked: new Set([list, ofAll, ...beyondServers]),
    });
  });

  it("answers operations of one shape wherever it answers any", () => {
    const { operation } = OperationsServiceDefinition.methods.getOperation.responseType.fromPartial({
      operation: {},
    });
    const fields = ["progress", "action", "metadata", "result", "initiator", "successor", "generation"];
    for (const field of fields) assert.ok(operation !== undefined && field in operation, field);
    for (const internal of ["input", "secrets", "owner", "fence", "actor", "traceparent"])
      assert.ok(operation !== undefined && !(internal in operation), internal);
  });

  it("changes the addresses of a port nowhere: detaching an interface is something else", () => {
    const named = (name: string): object =>
      fieldsOf(methods.find(({ method }) => method.name === name)?.method.requestType ?? assert.fail(name));
    assert.deepEqual(Object.keys(named("DetachInterface")).sort(), ["clientToken", "portId", "serverId"]);
    assert.deepEqual(
      methods.map(({ method }) => method.name).filter((name) => /FixedIp/.test(name)),
      [],
    );
  });

  it("evacuates as Nova does by now; what older microversions said is the gateway's alone", () => {
    const asked = fieldsOf(ServersServiceDefinition.methods.evacuateServer.requestType);
    assert.deepEqual(Object.keys(asked).sort(), ["adminPassword", "clientToken", "host", "serverId"]);
    assert.deepEqual(Object.keys(NovaEvacuation.fromPartial({})).sort(), [
      "endsAsBefore",
      "force",
      "onSharedStorage",
    ]);
    const evacuation = [...messagesOfUsers()].find(({ name }) => name === "EvacuateServerRequest");
    assert.deepEqual(
      evacuation?.fields
        .filter((field) => field.presence === FeatureSet_FieldPresence.EXPLICIT)
        .map(({ name }) => name),
      ["host", "admin_password"],
    );
  });

  it("names the cells that did not answer, and where a watch goes on, in lists that all cells give", () => {
    for (const name of ["ListServers", "ListOperations"]) {
      const { responseType } =
        methods.find(({ method }) => method.name === name)?.method ?? assert.fail(name);
      for (const field of ["unreachableCells", "resumeToken"])
        assert.ok(field in fieldsOf(responseType), `${name} lacks ${field}`);
    }
  });

  it("has each reason that a table declares in its enum", () => {
    for (const table of [apiErrors.ApiErrors, apiErrors.CreateErrors, PolicyErrors])
      for (const reason of Object.keys(table)) assert.ok(publicErrors.reasons.has(reason), reason);
    assert.ok(!publicErrors.reasons.has("PROVIDER_NOT_FOUND"), "an inner service's own");
  });

  it("names a field with each refusal of bad input", () => {
    const facts = new Proxy({}, { get: (_, name) => String(name) });
    const tables = Object.entries({ ...apiErrors, CellsErrors, CommonErrors });
    for (const [table, rows] of tables)
      for (const [reason, make] of Object.entries<ErrorFactory<never>>(rows)) {
        const field = make.kind === "invalid" ? make(facts as never).violations[0]?.field : "none";
        assert.ok(field !== undefined, `${table}.${reason}`);
      }
  });

  it("says of every method which errors it gives", () => {
    for (const file of readdirSync(protos)) {
      for (const [, comment = "", name = ""] of readFileSync(join(protos, file), "utf8").matchAll(
        /((?:^ {2}\/\/.*\n)+) {2}rpc (\w+)/gm,
      ))
        assert.match(comment, /Errors:/, `${file}: ${name}`);
    }
  });
});
