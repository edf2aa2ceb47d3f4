import type { Form, MessageType, OperationDeclaration, SubjectOperation } from "../operation-declaration.js";

/** An input that is its own text. */
const TEXT: MessageType<string> = {
  encode: (message) => ({ finish: () => Buffer.from(message) }),
  decode: (bytes) => Buffer.from(bytes).toString(),
  fromPartial: (partial) => String(partial),
};

const FORMS: Readonly<Record<string, string>> = {
  "pre-empt": "preempting",
  join: "joining",
  alone: "alone",
};

export const aForm: Form = { taskState: "", contention: "refused", lock: "refuses" };

/**
 * An operation that starts from every state. The input "pre-empt" asks for the form that takes over, "join"
 * for the one that also joins, "alone" for the one that lets nothing begin beside it.
 */
export const aDeclaration = (
  kind: string,
  over: Partial<OperationDeclaration<string>> = {},
): OperationDeclaration<string> => ({
  kind,
  summary: "For tests.",
  versions: [1],
  lane: "life",
  input: TEXT,
  methods: [],
  rule: "os_compute_api:servers:stop",
  action: "stop",
  forms: {
    plain: aForm,
    preempting: { ...aForm, contention: "pre-empts" },
    joining: { ...aForm, contention: "pre-empts-all" },
    alone: { ...aForm, alone: true },
  },
  formOf: (input) => FORMS[input] ?? "plain",
  ends: [],
  ...over,
});

/** An operation on a host or on the cloud. */
export const subjectDeclaration = (
  kind: string,
  subject: "host" | "cloud",
  over: Partial<SubjectOperation<string, unknown>> = {},
): SubjectOperation<string, unknown> => ({
  kind,
  subject,
  summary: "For tests.",
  versions: [1],
  lane: "images",
  input: TEXT,
  methods: [],
  rule: "compute:aggregates:images",
  contention: "refused",
  ...over,
});
