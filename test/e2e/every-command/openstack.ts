import { attachments } from "./openstack/attachments.js";
import { creation } from "./openstack/creation.js";
import { lists } from "./openstack/lists.js";
import { moves } from "./openstack/moves.js";
import { operators } from "./openstack/operators.js";
import { power } from "./openstack/power.js";
import { settings } from "./openstack/settings.js";
import type { Row } from "./row.js";

/** Every command of the `openstack` client about Compute. */
export const openstackTable: readonly Row[] = [
  ...creation,
  ...power,
  ...settings,
  ...attachments,
  ...lists,
  ...moves,
  ...operators,
];
