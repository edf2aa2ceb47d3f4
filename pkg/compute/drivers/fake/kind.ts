import { driverKind } from "../driver-kind.js";
import { FakeDriver } from "./driver.js";

export const fake = driverKind({
  does: "only remembers them",
  bootsImages: false,
  options: {},
  open: async ({ name, guestsDir }) => ({
    driver: new FakeDriver({ hostname: name, persistDir: guestsDir }),
  }),
});
