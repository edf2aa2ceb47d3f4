import { novaActions } from "./nova/actions.js";
import { novaDetails } from "./nova/details.js";
import { novaLater } from "./nova/later.js";
import { novaOperators } from "./nova/operators.js";
import type { Row } from "./row.js";

/** Every command of the `nova` client. */
export const novaTable: readonly Row[] = [...novaActions, ...novaDetails, ...novaOperators, ...novaLater];
