import { KeyPairType } from "../../../../gen/kilonova/type/v1/key_pair.js";
import type { Translation } from "./translation.js";
import { asAdmin, post } from "./translation.js";

export default [
  [
    "GET /os-keypairs",
    "/os-keypairs?user_id=u&limit=2&marker=k",
    asAdmin({ version: "2.35" }),
    "lists.listKeyPairs",
    { list: { userId: "u", pageSize: 2 }, nova: { marker: "k" } },
  ],
  [
    "POST /os-keypairs",
    "/os-keypairs",
    asAdmin({
      method: "POST",
      version: "2.10",
      body: {
        keypair: {
          name: "k",
          public_key: "ssh-rsa A",
          user_id: "u",
          type: "x509",
        },
      },
    }),
    "createKeyPair",
    { name: "k", publicKey: "ssh-rsa A", userId: "u", type: KeyPairType.KEY_PAIR_TYPE_X509 },
  ],
  [
    "POST /os-keypairs",
    "/os-keypairs",
    post({ keypair: { name: "k" } }),
    "createKeyPair",
    { name: "k", type: KeyPairType.KEY_PAIR_TYPE_SSH },
  ],
  [
    "GET /os-keypairs/{id}",
    "/os-keypairs/k?user_id=u",
    asAdmin({ version: "2.10" }),
    "getKeyPair",
    { name: "k", userId: "u" },
  ],
  [
    "DELETE /os-keypairs/{id}",
    "/os-keypairs/k?user_id=u",
    asAdmin({ method: "DELETE", version: "2.10" }),
    "deleteKeyPair",
    { name: "k", userId: "u" },
  ],
] satisfies readonly Translation[];
