import { identity } from "./openstack-cli/identity.js";
import { images } from "./openstack-cli/images.js";
import { networks } from "./openstack-cli/networks.js";
import { ports } from "./openstack-cli/ports.js";
import { roles } from "./openstack-cli/roles.js";
import { routers } from "./openstack-cli/routers.js";
import { Stage } from "./openstack-cli/stage.js";
import { volumes } from "./openstack-cli/volumes.js";

/**
 * Every subcommand of the unmodified `openstack` client that the services around Compute must serve, one by
 * one.
 */
describe("the openstack client", function () {
  this.timeout(300_000);
  const stage = new Stage();

  before(() => stage.open());
  after(() => stage.close());

  describe("with Identity", () => {
    identity(stage);
    roles(stage);
  });
  describe("with Image", () => images(stage));
  describe("with networks", () => networks(stage));
  describe("with ports and security groups", () => ports(stage));
  describe("with routers and floating IPs", () => routers(stage));
  describe("with volumes", () => volumes(stage));
});
