import { publicContract } from "../contract.gen.js";
import { rulesOf } from "./declared-rules.js";

/** Which methods of the contract declare a rule, served or not: `ServersService/GetServer`. */
export function methodsByRule(): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { fullName, methods: all } of publicContract)
    for (const method of Object.values(all))
      for (const rule of rulesOf(method))
        methods.set(rule, [
          ...(methods.get(rule) ?? []),
          `${fullName.split(".").at(-1) ?? fullName}/${method.name}`,
        ]);
  return methods;
}
