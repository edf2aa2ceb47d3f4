import { weighTable } from "../testing/builders.js";
import weigher from "./build-failure.js";

weighTable(weigher, [["counts failures against the host", { failedBuilds: 3 }, {}, -3]]);
