import { catalogue } from "../../pkg/model/operation-catalogue.js";
import type { OperationDeclaration } from "../../pkg/model/operation-declaration.js";
import { Protos } from "../e2e/bad-input/protos.js";

/** All kinds, with those of their methods that users may call: the gateway has some for itself. */
export function kindsOf(protos: Protos): OperationDeclaration[] {
  const known = new Set(protos.methods.map(({ name }) => name));
  return catalogue.all.map((one) => ({ ...one, methods: one.methods.filter(({ name }) => known.has(name)) }));
}
