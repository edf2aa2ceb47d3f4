import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { packageRoot, readConfig } from "../../pkg/platform/service/index.js";
import { programs } from "./programs.js";

const folder = join(packageRoot(), "deploy", "k8s");
const services = readdirSync(folder).filter((name) => existsSync(join(folder, name, "workload.yaml")));
const text = (service: string, file: string): string => readFileSync(join(folder, service, file), "utf8");

/** What a Secret would hold. */
const samples: Readonly<Record<string, string>> = {
  KILONOVA_DATABASES_CELLS:
    "[{name: cell0, uuid: 00000000-0000-0000-0000-000000000000, url: postgresql://a}, {name: cell1, uuid: 11111111-1111-4111-8111-111111111111, url: postgresql://b}]",
  KILONOVA_SEALING_KEYS: `[{id: "1", key: ${Buffer.alloc(32).toString("base64")}}]`,
  KILONOVA_TOKENS_KEYS: `[{id: "1", key: ${Buffer.alloc(32).toString("base64")}}]`,
  KILONOVA_COMPUTE_HOSTS: '["node-1"]',
};

interface Workload {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly enableServiceLinks?: boolean;
        readonly containers: readonly {
          readonly command: readonly string[];
          readonly env: readonly { readonly name: string }[];
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
        }[];
      };
    };
  };
}
interface ServiceManifest {
  readonly spec: { readonly ports: readonly { readonly targetPort: string }[] };
}

describe("deploy/k8s", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-deploy-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("has a folder for every program of a cluster", () => {
    assert.deepEqual(
      services.toSorted(),
      Object.keys(programs)
        .filter((name) => name !== "standalone")
        .toSorted(),
    );
  });

  for (const service of services) {
    it(`gives ${service} only options that it knows, and no variable that Kubernetes invents`, () => {
      const map = parse(text(service, "configmap.yaml")) as {
        readonly data: { readonly "config.yaml": string };
      };
      const workload = parseAllDocuments(text(service, "workload.yaml"))[0]?.toJS() as Workload;
      const [container] = workload.spec.template.spec.containers;
      assert.ok(container);
      const file = join(dir, `${service}.yaml`);
      writeFileSync(file, map.data["config.yaml"]);
      const env = Object.fromEntries(
        container.env
          .filter(({ name }) => name.startsWith("KILONOVA_"))
          .map(({ name }) => [name, samples[name] ?? "sample"]),
      );
      const config = readConfig(programs[service as keyof typeof programs], ["--config", file], env);
      assert.equal(workload.spec.template.spec.enableServiceLinks, false);
      assert.deepEqual(container.command.slice(0, 2), ["node", `dist/${service}.js`]);
      const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
      assert.equal(config["process"]?.["statusListen"], `0.0.0.0:${ports.get("status")}`);
      if (ports.has("rpc")) assert.equal(config["rpc"]?.["listen"], `0.0.0.0:${ports.get("rpc")}`);
      for (const { targetPort } of (parse(text(service, "service.yaml")) as ServiceManifest).spec.ports)
        assert.ok(ports.has(targetPort), targetPort);
    });
  }
});
