// Generated from the files of this folder. A kind's file exports its factory as default.
import boot from "./boot.js";
import delete_ from "./delete.js";
import reboot from "./reboot.js";
import start from "./start.js";
import stop from "./stop.js";

/** All kinds by file name. */
export const kindFactories = { boot, delete: delete_, reboot, start, stop } as const;
