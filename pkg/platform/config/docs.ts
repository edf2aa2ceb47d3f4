import { z } from "zod";

/**
 * One table per section. A field without description fails: options are documented where they are declared.
 */
export function describeSections(
  sections: Readonly<Record<string, z.ZodObject>>,
  envName: (section: string, field: string) => string,
): string {
  const out: string[] = [];
  for (const [section, schema] of Object.entries(sections)) {
    const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as {
      properties?: Record<string, Record<string, unknown>>;
      description?: string;
    };
    out.push(
      `## ${section}`,
      "",
      json.description ?? "",
      "",
      "| option | environment | type | default | meaning |",
      "|---|---|---|---|---|",
    );
    for (const [field, property] of Object.entries(json.properties ?? {})) {
      const description = property["description"];
      if (typeof description !== "string") throw new Error(`option ${section}.${field} has no description`);
      out.push(
        `| ${field} | ${envName(section, field)} | ${typeOf(property)} | ${defaultOf(property)} | ${description} |`,
      );
    }
    out.push("");
  }
  return out.join("\n");
}

function typeOf(property: Record<string, unknown>): string {
  if (Array.isArray(property["enum"])) return property["enum"].map((v) => `\`${String(v)}\``).join(" or ");
  const bounds = [
    ["minimum", "≥"],
    ["maximum", "≤"],
  ].flatMap(([key, sign]) =>
    typeof property[key ?? ""] === "number" && Math.abs(property[key ?? ""] as number) < 2 ** 53 - 1
      ? [`${sign} ${String(property[key ?? ""])}`]
      : [],
  );
  return [String(property["type"] ?? "any"), ...bounds].join(" ");
}

const defaultOf = (property: Record<string, unknown>): string =>
  "default" in property ? `\`${JSON.stringify(property["default"])}\`` : "none";
