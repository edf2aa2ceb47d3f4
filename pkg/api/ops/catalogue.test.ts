import assert from "node:assert/strict";
import { FlavorVisibility, FlavorsServiceDefinition } from "../../../gen/kilonova/api/v1/flavors_service.js";
import {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { KeyPairsServiceDefinition } from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { LimitsServiceDefinition } from "../../../gen/kilonova/api/v1/limits_service.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { ListStoredFlavorsRequest } from "../../../gen/kilonova/cells/v1/global_service.js";
import { KeyPairType } from "../../../gen/kilonova/type/v1/key_pair.js";
import type { TestApi } from "../testing/an-api.js";
import { aFlavor, administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const flavors = (api: TestApi) => api.channel.client(FlavorsServiceDefinition);
const keyPairs = (api: TestApi) => api.channel.client(KeyPairsServiceDefinition);
const services = (api: TestApi) => api.channel.client(ComputeServicesServiceDefinition);

describe("flavors", () => {
  it("are made by administrators, with an id if none is given", async () => {
    const api = anApi();
    const { flavor } = await flavors(api).createFlavor(as(administrator), {
      flavor: aFlavor({ id: "", rxtxFactor: 0, projectIds: ["p1"] }),
    });
    assert.match(flavor?.id ?? "", /^[0-9a-f-]{36}$/);
    assert.deepEqual([flavor?.rxtxFactor, flavor?.projectIds], [1, []]);
    await assert.rejects(flavors(api).createFlavor(as(member), { flavor: aFlavor() }), {
      reason: "FORBIDDEN",
    });
    await assert.rejects(
      flavors(api).createFlavor(as(administrator), { flavor: aFlavor({ vcpus: 0, memoryMib: 0 }) }),
      (error: { violations: { field: string }[] }) => {
        assert.deepEqual(
          error.violations.map((one) => one.field),
          ["flavor.vcpus", "flavor.memory_mib"],
        );
        return true;
      },
    );
  });

  it("are private to their projects and to administrators", async () => {
    const api = anApi();
    api.cells.flavors.set("9", aFlavor({ id: "9", isPublic: false, projectIds: ["p1"] }));
    const seen = await flavors(api).getFlavor(as(member), { flavorId: "9" });
    assert.deepEqual(
      [seen.flavor?.id, seen.flavor?.projectIds, seen.hiddenFields],
      ["9", [], ["project_ids"]],
    );
    assert.deepEqual(
      (await flavors(api).getFlavor(as(administrator), { flavorId: "9", withAccess: true })).flavor
        ?.projectIds,
      ["p1"],
    );
    await assert.rejects(flavors(api).getFlavor(as(stranger), { flavorId: "9" }), {
      reason: "FLAVOR_NOT_FOUND",
      message: "Flavor 9 could not be found.",
    });
    await assert.rejects(flavors(api).getFlavor(as(member), { flavorId: "9", withAccess: true }), {
      reason: "FORBIDDEN",
    });
  });

  it("have no access list when public", async () => {
    const api = anApi();
    api.cells.flavors.set("1", aFlavor());
    await assert.rejects(flavors(api).getFlavor(as(administrator), { flavorId: "1", withAccess: true }), {
      kind: "missing",
      message: "Access list not available for public flavors.",
    });
    await assert.rejects(
      flavors(api).addFlavorAccess(as(administrator), { flavorId: "1", projectId: "p1" }),
      { reason: "FLAVOR_IS_PUBLIC" },
    );
  });

  it("are opened to projects that exist", async () => {
    const api = anApi();
    api.cells.flavors.set("9", aFlavor({ id: "9", isPublic: false }));
    assert.deepEqual(
      (await flavors(api).addFlavorAccess(as(administrator), { flavorId: "9", projectId: "p2" })).flavor
        ?.projectIds,
      ["p2"],
    );
    await assert.rejects(
      flavors(api).addFlavorAccess(as(administrator), { flavorId: "9", projectId: "nope" }),
      { reason: "PROJECT_NOT_FOUND", kind: "invalid" },
    );
  });

  it("let only administrators choose what is listed", async () => {
    const api = anApi();
    const asked = (): ListStoredFlavorsRequest =>
      api.cells.requests.get("listStoredFlavors") as ListStoredFlavorsRequest;
    await flavors(api).listFlavors(as(member), { visibility: FlavorVisibility.FLAVOR_VISIBILITY_ALL });
    assert.deepEqual([asked().isPublic, asked().seeAll, asked().projectId], [undefined, false, "p1"]);
    await flavors(api).listFlavors(as(administrator), { visibility: FlavorVisibility.FLAVOR_VISIBILITY_ALL });
    assert.deepEqual([asked().isPublic, asked().seeAll], [undefined, true]);
    await flavors(api).listFlavors(as(administrator), {
      visibility: FlavorVisibility.FLAVOR_VISIBILITY_PRIVATE,
    });
    assert.deepEqual([asked().isPublic, asked().seeAll], [false, true]);
  });

  it("hide extra specs when policy says so", async () => {
    const api = anApi({ policy: `os_compute_api:os-flavor-extra-specs:index: "rule:context_is_admin"` });
    api.cells.flavors.set("1", aFlavor({ extraSpecs: new Map([["a:b", "c"]]) }));
    const { flavor, hiddenFields } = await flavors(api).getFlavor(as(member), { flavorId: "1" });
    assert.deepEqual([flavor?.extraSpecs.size, hiddenFields], [0, ["extra_specs", "project_ids"]]);
    assert.equal(
      (await flavors(api).getFlavor(as(administrator), { flavorId: "1" })).flavor?.extraSpecs.get("a:b"),
      "c",
    );
  });

  it("change extra specs and description under their own rules", async () => {
    const api = anApi();
    api.cells.flavors.set("1", aFlavor());
    assert.equal(
      (
        await flavors(api).setFlavorExtraSpecs(as(administrator), {
          flavorId: "1",
          extraSpecs: new Map([["hw:x", "1"]]),
        })
      ).flavor?.extraSpecs.get("hw:x"),
      "1",
    );
    await assert.rejects(
      flavors(api).setFlavorExtraSpecs(as(member), { flavorId: "1", extraSpecs: new Map([["hw:x", "1"]]) }),
      { reason: "FORBIDDEN" },
    );
    await assert.rejects(
      flavors(api).setFlavorExtraSpecs(as(administrator), {
        flavorId: "1",
        extraSpecs: new Map([["hw/x", "1"]]),
      }),
      { reason: "INVALID_REQUEST" },
    );
    await assert.rejects(
      flavors(api).updateFlavor(as(administrator), { flavor: { id: "1" }, updateMask: ["vcpus"] }),
      { reason: "INVALID_REQUEST" },
    );
    await assert.rejects(flavors(api).deleteFlavor(as(administrator), { flavorId: "2" }), {
      reason: "FLAVOR_NOT_FOUND",
    });
  });
});

describe("key pairs", () => {
  const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

  it("are imported for their user", async () => {
    const api = anApi();
    const { keyPair, privateKey } = await keyPairs(api).createKeyPair(as(member), {
      name: "my key@work",
      publicKey: KEY,
    });
    assert.deepEqual(
      [keyPair?.userId, keyPair?.publicKey, keyPair?.type, privateKey],
      ["u1", KEY, KeyPairType.KEY_PAIR_TYPE_SSH, undefined],
    );
    assert.equal(
      (await keyPairs(api).getKeyPair(as(member), { name: "my key@work" })).keyPair?.fingerprint,
      keyPair?.fingerprint,
    );
    assert.equal((await keyPairs(api).listKeyPairs(as(member), {})).keyPairs.length, 1);
    await assert.rejects(keyPairs(api).getKeyPair(as(stranger), { name: "my key@work" }), {
      reason: "KEY_PAIR_NOT_FOUND",
      kind: "missing",
    });
  });

  it("are made when no key is given, and tell the private half once", async () => {
    const api = anApi();
    const { privateKey, keyPair } = await keyPairs(api).createKeyPair(as(member), { name: "k" });
    assert.match(privateKey ?? "", /BEGIN RSA PRIVATE KEY/);
    assert.match(keyPair?.publicKey ?? "", /^ssh-rsa /);
    assert.ok(
      !JSON.stringify(api.cells.keyPairs, (_key, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      ).includes("PRIVATE"),
    );
  });

  it("of others need the right, bad keys and names are refused", async () => {
    const api = anApi();
    await assert.rejects(
      keyPairs(api).createKeyPair(as(member), { name: "k", userId: "u2", publicKey: KEY }),
      { reason: "FORBIDDEN" },
    );
    await keyPairs(api).createKeyPair(as(administrator), { name: "k", userId: "u2", publicKey: KEY });
    assert.equal((await keyPairs(api).getKeyPair(as(stranger), { name: "k" })).keyPair?.userId, "u2");
    await assert.rejects(keyPairs(api).createKeyPair(as(member), { name: "k", publicKey: "ssh-rsa x" }), {
      reason: "BAD_PUBLIC_KEY",
    });
    await assert.rejects(keyPairs(api).createKeyPair(as(member), { name: "k/1", publicKey: KEY }), {
      reason: "INVALID_REQUEST",
    });
  });
});

describe("zones, services and limits", () => {
  function withHosts(): TestApi {
    const api = anApi({ config: { hostListTtlMs: 60_000 } });
    const service = (init: Partial<HostService>): HostService =>
      HostService.fromPartial({ binary: "nova-compute", availabilityZone: "nova", up: true, ...init });
    api.cells.setServices("cell1", [
      service({ id: "a", number: 1n, host: "h1" }),
      service({ id: "c", number: 3n, binary: "nova-conductor", host: "ctl" }),
    ]);
    api.cells.setServices("cell2", [
      service({ id: "b", number: 2n, host: "h2", availabilityZone: "east", disabled: true }),
    ]);
    return api;
  }

  it("list zones by their enabled hosts, and details for administrators", async () => {
    const api = withHosts();
    const zones = api.channel.client(AvailabilityZonesServiceDefinition);
    const shown = (await zones.listAvailabilityZones(as(member), {})).zones;
    assert.deepEqual(
      shown.map((zone) => [zone.name, zone.available, zone.services.length]),
      [
        ["east", false, 0],
        ["nova", true, 0],
      ],
    );
    const detail = (await zones.listAvailabilityZones(as(administrator), { detail: true })).zones;
    assert.deepEqual(
      detail.map((zone) => [zone.name, zone.services.map((one) => one.host)]),
      [
        ["east", ["h2"]],
        ["internal", ["ctl"]],
        ["nova", ["h1"]],
      ],
    );
    await assert.rejects(zones.listAvailabilityZones(as(member), { detail: true }), { reason: "FORBIDDEN" });
  });

  it("list services of all cells by number", async () => {
    const api = withHosts();
    const { services: found } = await services(api).listComputeServices(as(administrator), {});
    assert.deepEqual(
      found.map((one) => [one.id, one.cell, one.zone]),
      [
        ["a", "cell1", "nova"],
        ["b", "cell2", "east"],
        ["c", "cell1", "internal"],
      ],
    );
    const first = await services(api).listComputeServices(as(administrator), { pageSize: 1 });
    const second = await services(api).listComputeServices(as(administrator), {
      pageSize: 1000,
      pageToken: first.nextPageToken,
    });
    assert.deepEqual(
      [...first.services, ...second.services].map((one) => one.id),
      found.map((one) => one.id),
    );
    assert.deepEqual([first.services.length, second.nextPageToken], [1, ""]);
    await assert.rejects(
      services(api).listComputeServices(as(administrator), { host: "h2", pageToken: first.nextPageToken }),
      { reason: "BAD_PAGE_TOKEN" },
    );
    assert.deepEqual(
      (await services(api).listComputeServices(as(administrator), { host: "h2" })).services.map(
        (one) => one.id,
      ),
      ["b"],
    );
    await assert.rejects(services(api).listComputeServices(as(member), {}), { reason: "FORBIDDEN" });
  });

  it("enable and disable compute services, and no others", async () => {
    const api = withHosts();
    const update = (wish: Parameters<ReturnType<typeof services>["updateComputeService"]>[1]) =>
      services(api).updateComputeService(as(administrator), wish);
    const { service } = await update({
      host: "h1",
      binary: "nova-compute",
      disabled: true,
      disabledReason: "broken",
    });
    assert.deepEqual([service?.disabled, service?.disabledReason], [true, "broken"]);
    assert.deepEqual((await update({ serviceId: "a", disabled: false })).service?.disabledReason, undefined);
    await assert.rejects(update({ serviceId: "c", disabled: true }), {
      reason: "NOT_A_COMPUTE_SERVICE",
      kind: "invalid",
    });
    await assert.rejects(update({ serviceId: "zz", disabled: true }), {
      reason: "SERVICE_NOT_FOUND",
      kind: "missing",
    });
    await assert.rejects(update({ host: "h9", binary: "nova-compute", disabled: true }), {
      message: "Could not find binary nova-compute on host h9.",
    });
    await assert.rejects(update({ serviceId: "a" }), { reason: "INVALID_REQUEST" });
    await assert.rejects(update({ serviceId: "a", disabled: false, disabledReason: "x" }), {
      reason: "INVALID_REQUEST",
    });
  });

  it("tell limits of the own project, of others with the right", async () => {
    const api = anApi();
    const limits = api.channel.client(LimitsServiceDefinition);
    assert.equal(
      (await limits.getLimits(as(member), {})).limits.find((one) => one.name === "metadata_items")?.limit,
      128n,
    );
    await assert.rejects(limits.getLimits(as(member), { projectId: "p2" }), { reason: "FORBIDDEN" });
    assert.ok((await limits.getLimits(as(administrator), { projectId: "p2" })).limits.length > 0);
  });
});
