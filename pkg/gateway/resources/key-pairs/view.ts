import type { KeyPair } from "../../../../gen/kilonova/type/v1/key_pair.js";
import { KeyPairType } from "../../../../gen/kilonova/type/v1/key_pair.js";
import { never, since } from "../../microversion/version.js";
import { longTime } from "../../view/times.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";

/** `item` of the list, `created` in the answer of a create, `show` of one. */
type KeyPairForm = "item" | "created" | "show";
/** A generated private key is told once. */
export interface KeyPairEnv {
  readonly privateKey?: string | undefined;
}

const showOnly = { item: never, created: never } as const;

const fields: readonly Field<KeyPair, KeyPairEnv, KeyPairForm>[] = [
  { name: "name", value: (k) => k.name },
  { name: "public_key", value: (k) => k.publicKey },
  { name: "fingerprint", value: (k) => k.fingerprint },
  {
    name: "type",
    span: since("2.2"),
    value: (k) => (k.type === KeyPairType.KEY_PAIR_TYPE_X509 ? "x509" : "ssh"),
  },
  { name: "user_id", forms: { item: never }, value: (k) => k.userId },
  {
    name: "private_key",
    forms: { item: never, show: never },
    value: (_k, { privateKey }) => privateKey,
  },
  { name: "id", forms: showOnly, value: (k) => Number(k.id) },
  { name: "created_at", forms: showOnly, value: (k) => longTime(k.createdAt) },
  { name: "deleted", forms: showOnly, value: () => false },
  { name: "deleted_at", forms: showOnly, value: () => null },
  { name: "updated_at", forms: showOnly, value: () => null },
];

export const keyPairView = (form: KeyPairForm): View<KeyPair, KeyPairEnv> => new View(form, fields);
