import { GatewayErrors } from "../../errors.js";
import { booleanWord } from "../../http/words.js";
import { knownCapabilities, knownResourceClasses, knownSpecs } from "./known-specs.js";
import { knownTraits } from "./known-traits.js";

/** Says what is wrong with a value, or nothing. */
type ValueRule = (value: string) => string | undefined;
interface SpecRule {
  readonly name: RegExp;
  readonly value: ValueRule;
}

const GROUP = "([a-zA-Z0-9_-]{1,64})?";
/** Before the colon of names that somebody defined: others in these namespaces do not exist. */
const NAMESPACES = new RegExp(
  `^(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|powervm|quota|vmware|resources${GROUP}|trait${GROUP})$`,
);

const anyValue: ValueRule = () => undefined;
const oneOf =
  (values: readonly string[]): ValueRule =>
  (value) =>
    values.includes(value) ? undefined : `must be one of: ${values.join(", ")}`;
const wholeNumber =
  (min: number, max: number): ValueRule =>
  (value) => {
    const number = /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : NaN;
    if (Number.isNaN(number)) return "must be an integer";
    return number < min || number > max ? `must be between ${min} and ${max}` : undefined;
  };
const matching = (pattern: string): ValueRule => {
  const regex = new RegExp(`^(?:${pattern})$`);
  return (value) => (regex.test(value) ? undefined : `must match ${pattern}`);
};
const boolean: ValueRule = (value) =>
  booleanWord(value) === undefined ? "must be a boolean word" : undefined;

/** The rule that a line of the table tells. */
function valueRule(type: string, constraints: string): ValueRule {
  const limit = (name: string, otherwise: number): number =>
    Number(new RegExp(`${name}=(-?\\d+)`).exec(constraints)?.[1] ?? otherwise);
  if (type === "bool") return boolean;
  if (type === "int") return wholeNumber(limit("min", -Infinity), limit("max", Infinity));
  if (constraints.startsWith("enum=")) return oneOf(constraints.slice(5).split("|"));
  return constraints.startsWith("pattern=") ? matching(constraints.slice(8)) : anyValue;
}

const escaped = (text: string): string => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
const words = (text: string): string[] => text.trim().split(/\s+/);

/** Compiles the tables; made once by the resource. */
export function extraSpecRules(): readonly SpecRule[] {
  const listed = knownSpecs
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", type = "", ...rest] = line.split(" ");
      const pattern = escaped(name).replace("{num}", "\\d+").replace("{any}", ".+");
      return { name: new RegExp(`^${pattern}$`), value: valueRule(type, rest.join(" ")) };
    });
  const capability = words(knownCapabilities)
    .map((fact) => (fact.endsWith("*") ? `${fact.slice(0, -1)}(:\\w+)*` : fact))
    .join("|");
  return [
    ...listed,
    { name: new RegExp(`^capabilities:(${capability})$`), value: anyValue },
    {
      name: new RegExp(`^resources${GROUP}:(CUSTOM_[A-Z0-9_]+|${words(knownResourceClasses).join("|")})$`),
      value: wholeNumber(-Infinity, Infinity),
    },
    {
      name: new RegExp(`^trait${GROUP}:(CUSTOM_[A-Z0-9_]+|${words(knownTraits).join("|")})$`),
      value: oneOf(["required", "forbidden"]),
    },
  ];
}

/**
 * Checks specs as OpenStack does from 2.86 on: known names have known values, known namespaces only known
 * names; all others pass.
 * @throws BAD_REQUEST
 */
export function assertExtraSpecs(rules: readonly SpecRule[], specs: ReadonlyMap<string, string>): void {
  for (const [name, value] of specs) {
    const rule = rules.find((one) => one.name.test(name));
    const problem = rule ? rule.value(value) : unknownName(name);
    if (problem !== undefined)
      throw GatewayErrors.BAD_REQUEST({ message: `Validation failed; extra spec '${name}' ${problem}.` });
  }
}

function unknownName(name: string): string | undefined {
  const colon = name.indexOf(":");
  return colon >= 0 && NAMESPACES.test(name.slice(0, colon))
    ? "does not appear to be a valid extra spec"
    : undefined;
}
