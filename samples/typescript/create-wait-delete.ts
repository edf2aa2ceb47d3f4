import { Kilonova } from "kilonova-sdk";

const cloud = await Kilonova.fromCloudsYaml();
const flavor = await cloud.flavors.list({ name: "m1.nano" }).first();
const image = await cloud.findImage(process.argv[2] ?? "kilonova-guest");
const creation = cloud.servers.create({ name: "sample", flavorId: flavor.id, imageId: image.id });
const { servers } = await creation.finished();
console.log(`${servers[0].id} has come up`);
await cloud.servers.delete({ serverId: servers[0].id }).finished();
cloud.close();
