import { weighTable } from "../testing/builders.js";
import weigher from "./hypervisor-version.js";

weighTable(weigher, [["is the version", { hypervisorVersion: 8_001_000 }, {}, 8_001_000]]);
