import { hostFilter } from "../domain/rules.js";
import { pass } from "../domain/verdict.js";

/** Refuses nobody. @source nova AllHostsFilter */
export default hostFilter("AllHostsFilter", { tellings: {}, judge: () => pass });
