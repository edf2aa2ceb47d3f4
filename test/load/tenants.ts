import type { Cloud } from "../e2e/support/cloud.js";
import { Rest } from "../bench/rest.js";

/** Makes a project of its own with one user in it, and logs the user in. */
export async function tenant(cloud: Cloud, name: string, role: "reader" | "member"): Promise<Rest> {
  const identityUrl = `http://127.0.0.1:${cloud.port(5000)}`;
  const admin = new Rest(`${identityUrl}/v3`);
  await admin.login(identityUrl, cloud.credentials("admin"));
  const { project } = await admin.json<{ project: { id: string } }>("POST", "/projects", {
    project: { name, domain_id: "default" },
  });
  const { user } = await admin.json<{ user: { id: string } }>("POST", "/users", {
    user: { name, domain_id: "default", password: `${name}-password` },
  });
  const { roles } = await admin.json<{ roles: { id: string; name: string }[] }>("GET", "/roles");
  const id = roles.find((one) => one.name === role)?.id ?? "";
  await admin.send("PUT", `/projects/${project.id}/users/${user.id}/roles/${id}`);
  admin.close();
  const rest = new Rest(`http://127.0.0.1:${cloud.port(8774)}/v2.1`);
  await rest.login(identityUrl, {
    OS_USERNAME: name,
    OS_PASSWORD: `${name}-password`,
    OS_PROJECT_NAME: name,
  });
  return rest;
}
