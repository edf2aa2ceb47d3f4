// Every kind of operation, as its declaration has it → docs/operations.md. `--check` fails when the committed
// page is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Server } from "../gen/kilonova/cells/v1/server.js";
import { snakeCase } from "../pkg/kernel/index.js";
import { vmStateWord } from "../pkg/model/instance-states.js";
import { catalogue } from "../pkg/model/operation-catalogue.js";
import type { Form, OperationDeclaration } from "../pkg/model/operation-declaration.js";
import {
  exampleInput,
  metadataOf,
  newestVersion,
  resultOf,
  subjectOf,
} from "../pkg/model/operation-declaration.js";
import type { SubjectKind } from "../pkg/model/operation-name.js";
import { packageRoot } from "../pkg/platform/service/index.js";

const code = (text: string): string => `\`${text}\``;
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const aboutOf: Readonly<Record<SubjectKind, string>> = {
  server: "a server",
  host: "a host",
  cloud: "the cloud",
};
const begun = ({ methods }: OperationDeclaration): string =>
  methods.length === 0
    ? "another operation"
    : methods
        .map(({ name, key, ours }) =>
          key === undefined
            ? code(name)
            : `${code(name)}, ${code(key)}${ours === true ? " (not in Nova)" : ""}`,
        )
        .join("; ");

const kinds = (): string[] => [
  row([
    "kind",
    "version",
    "about",
    "lane",
    "what it does",
    "begun by (RPC, REST action)",
    "needs the rule",
    "the host needs",
  ]),
  row(["---", "---", "---", "---", "---", "---", "---", "---"]),
  ...catalogue.all.map((one) =>
    row([
      code(one.kind),
      String(newestVersion(one)),
      aboutOf[subjectOf(one)],
      one.lane,
      one.summary,
      begun(one),
      code(one.rule),
      one.capability ?? "–",
    ]),
  ),
];

/** The words of a oneof's case, as the proto spells it. */
const word = (one: { readonly $case: string } | undefined): string =>
  one === undefined ? "–" : code(snakeCase(one.$case));

const shown = (): string[] => [
  row(["kind", "`action`", "`metadata`", "`result`"]),
  row(["---", "---", "---", "---"]),
  ...catalogue.all.map((one) =>
    row([
      code(one.kind),
      code(one.action),
      word(metadataOf(one, exampleInput(one))?.asked),
      word(resultOf(one, Server.fromPartial({}), [])?.outcome),
    ]),
  ),
];

const lockOf: Readonly<Record<Form["lock"], string>> = {
  refuses: "refused",
  hides: "refused as a state",
  ignores: "passes",
};
const busyOf: Readonly<Record<Form["contention"], string>> = {
  refused: "refused",
  waits: "waits for its turn",
  "pre-empts": "takes over",
  "pre-empts-all": "takes over all lanes; joins one of its kind",
};

const ofServers = catalogue.all.filter((one) => subjectOf(one) === "server");
const ofOthers = catalogue.all.filter((one) => subjectOf(one) !== "server");

const others = (): string[] => [
  row(["kind", "about", "lane", "when busy"]),
  row(["---", "---", "---", "---"]),
  ...ofOthers.flatMap((one) =>
    Object.values(one.forms).map(({ contention }) =>
      row([code(one.kind), aboutOf[subjectOf(one)], one.lane, busyOf[contention]]),
    ),
  ),
];

const states = (): string[] => [
  row([
    "kind",
    "form",
    "from vm_state",
    "from task_state",
    "task_state meanwhile",
    "ends in",
    "when locked",
    "when busy",
  ]),
  row(["---", "---", "---", "---", "---", "---", "---", "---"]),
  ...ofServers.flatMap((one) =>
    Object.entries(one.forms).map(([name, form]) =>
      row([
        code(one.kind),
        name,
        form.vmStates?.map(vmStateWord).join(", ") ?? "any",
        form.taskStates?.map((state) => (state === "" ? "none" : state)).join(", ") ?? "any",
        form.taskState === "" ? "–" : form.taskState,
        one.ends.length === 0 ? "the same" : one.ends.map(vmStateWord).join(", "),
        lockOf[form.lock],
        one.instant === undefined ? busyOf[form.contention] : "passes",
      ]),
    ),
  ),
];

const page = [
  "# Operations",
  "",
  "<!-- Written by scripts/gen-operations-docs.ts from pkg/model/operations. Do not edit. -->",
  "",
  "Slow work is an operation: stored when it is accepted, and it ends as asked or says why, whatever process dies.",
  "How to add one: [adding/operation.md](adding/operation.md).",
  "",
  ...kinds(),
  "",
  "## What users see",
  "",
  "`GetOperation`, `ListOperations`, `WaitOperation` and the events of `WatchEvents` show the same message",
  "(`kilonova.type.v1.Operation`). `metadata` is what was asked, `result` what came of it once it has SUCCEEDED;",
  "the table names the field that is set. `initiator` is who began it: somebody of the server's project, an",
  "operator, or the cloud itself. One that is PREEMPTED names its `successor`. `progress` is how far the running",
  "step has come, where something measures it.",
  "",
  ...shown(),
  "",
  "`ListOperations` without a server lists those of the caller's project over all cells, newest first, narrowed",
  "by states, kinds and the time of acceptance; `all_projects` needs the rule",
  "`os_compute_api:servers:detail:get_all_tenants`. A page is read from an index and costs the same however long",
  "the history is: with filters that few operations fit it may be short or empty, and `next_page_token` goes on.",
  "With `with_resume_token` a watch goes on from the list without a gap; of two states of an operation the one of",
  "the higher `generation` is the newer.",
  "",
  "With `host` (a name, or a hypervisor's id, by which also a deleted host is found) or `cloud` it lists what",
  "operators have hosts or the cloud do: of the kinds that the caller may begin, by the rules of the table above.",
  "There is no watch of these, and no `resume_token`.",
  "",
  "`CancelOperation` asks for cancellation. It has an effect before the kind's pivot only, and needs the rule of",
  "the table above, asked about the server's owner, whoever began the operation. One that is NEEDS_OPERATOR is",
  "`done`, but an operator may retry it (`kilonova manage operation retry`): then it is not.",
  "",
  "## Where they start, and what is seen meanwhile",
  "",
  "A server that is locked lets administrators pass. *Busy* is a server with a running operation in that lane.",
  "",
  ...states(),
  "",
  "## Of hosts and of the cloud",
  "",
  "They have no states and no locks. Names: `operations/hosts/<uuid of the host's compute node>/<uuid>`, `operations/cloud/<uuid>`.",
  "Who may begin one may see it, wait for it and cancel it; watches do not tell of them.",
  "",
  ...others(),
  "",
].join("\n");

const path = join(packageRoot(), "docs", "operations.md");
const have = (() => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
})();
if (!process.argv.includes("--check")) writeFileSync(path, page);
else if (have !== page) {
  console.error("docs/operations.md is out of date: run npm run gen");
  process.exitCode = 1;
}
