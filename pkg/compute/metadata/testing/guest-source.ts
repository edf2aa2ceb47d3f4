import type { GuestData } from "../../guestdata/index.js";
import type { GuestDataSource } from "../ports.js";

/** A source of guests that a test makes up; passwords that guests post are kept. */
export function guestSource(find: (instanceUuid: string) => GuestData | undefined): GuestDataSource {
  const passwords = new Map<string, string>();
  return {
    guestData: async (_ctx, uuid) => {
      const data = find(uuid);
      const password = passwords.get(uuid);
      return (
        data && {
          data: password === undefined ? data : { ...data, password },
          generation: password === undefined ? 1n : 2n,
        }
      );
    },
    vendorData: async (_ctx, uuid) => {
      const { vendorData, dynamicVendorData } = find(uuid) ?? {};
      return {
        ...(vendorData === undefined ? {} : { vendorData }),
        ...(dynamicVendorData === undefined ? {} : { dynamicVendorData }),
      };
    },
    savePassword: async (_ctx, uuid, encrypted) => {
      if (passwords.has(uuid)) return false;
      passwords.set(uuid, encrypted);
      return true;
    },
  };
}
