import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Neutron, PortInfo } from "../../pkg/clients/neutron/ports.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";

export const NETWORK = "4e000000-0000-4000-8000-000000000001";

/**
 * A Network service of its own process, as far as the killed one can tell: every change is on disk before it
 * is answered.
 */
export function diskNeutron(path: string): Neutron & { readonly ports: ReadonlyMap<string, PortInfo> } {
  const fake = fakeNeutron();
  fake.addNetwork({ id: NETWORK, name: "private" });
  fake.addSubnet({ networkId: NETWORK });
  const stored = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as PortInfo[]) : [];
  for (const port of stored) fake.addPort({ ...port, createdAt: undefined });
  const save = (): void =>
    writeFileSync(
      path,
      JSON.stringify([...fake.ports.values()].map((port) => ({ ...port, createdAt: undefined }))),
    );
  const saved = async <T>(change: Promise<T>): Promise<T> => {
    const result = await change;
    save();
    return result;
  };
  return {
    ...fake,
    createPort: (ctx, port, caller) => saved(fake.createPort(ctx, port, caller)),
    updatePort: (ctx, id, change, caller) => saved(fake.updatePort(ctx, id, change, caller)),
    deletePort: (ctx, id, caller) => saved(fake.deletePort(ctx, id, caller)),
  };
}
