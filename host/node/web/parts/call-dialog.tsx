/** Calls an operation: the form is made from the API's document, the answer is shown as it came. */
import { useState } from "preact/hooks";
import { ApiError, call, request } from "../api.js";
import { bytes, ms } from "../format.js";
import { useLoaded } from "../store.js";
import type { CallAnswer, Capability } from "../types.js";
import { Failure } from "./basic.js";
import { Dialog } from "./dialog.js";
import { SchemaFields, valuesOf, type Schema, type Texts } from "./schema-form.js";

interface OpenApi {
  readonly paths: Readonly<
    Record<string, { post?: { requestBody?: { content: Record<string, { schema: Schema }> } } }>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let document_: Promise<OpenApi> | undefined;

/** The schema of an operation's arguments; the document is read once. */
export async function argumentsOf(operation: string): Promise<Schema> {
  document_ ??= request<OpenApi>("GET", "/openapi.json");
  const { paths, components } = await document_.catch((error: unknown) => {
    document_ = undefined;
    throw error;
  });
  const body =
    paths[`/api/v1/operations/${operation}`]?.post?.requestBody?.content["application/json"]?.schema;
  const schema = body?.properties?.["arguments"] ?? {};
  // References one level deep are enough for forms: deeper values are written as JSON.
  const follow = (one: Schema & { $ref?: string }): Schema =>
    one.$ref === undefined ? one : (components.schemas[one.$ref.split("/").at(-1) ?? ""] ?? {});
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, one]) => [name, follow(one)]),
    ),
  };
}

const inlineAtMost = 4 * 1024 * 1024;

export function CallDialog({ capability, onClose }: { capability: Capability; onClose: () => void }) {
  const { operation, summary, job, input: need } = capability;
  const { value: schema, error: schemaError } = useLoaded(() => argumentsOf(operation), [operation]);
  const [texts, setTexts] = useState<Texts>(job ? { detach: "true" } : {});
  const [selector, setSelector] = useState<Texts>({});
  const [reference, setReference] = useState("");
  const [file, setFile] = useState<File>();
  const [descriptor, setDescriptor] = useState("");
  const [running, setRunning] = useState(false);
  const [answer, setAnswer] = useState<CallAnswer>();
  const [error, setError] = useState<unknown>();
  const wrong =
    error instanceof ApiError ? error.field?.replace(/^arguments\./, "").split(".")[0] : undefined;

  const run = async (): Promise<void> => {
    const input = await inputOf(file, reference);
    const selected = Object.fromEntries(
      Object.entries(selector)
        .filter(([, text]) => text.trim() !== "")
        .map(([part, text]) => [
          part,
          part === "labels" ? text.split(",").map((label) => label.trim()) : text.trim(),
        ]),
    );
    const order = {
      arguments: valuesOf(schema ?? {}, texts),
      ...(Object.keys(selected).length === 0 ? {} : { selector: selected }),
      ...(input === undefined ? {} : { input }),
      ...(descriptor.trim() === "" ? {} : { inputDescriptor: JSON.parse(descriptor) as unknown }),
    };
    setAnswer(await call(operation, order));
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setError(undefined);
    setAnswer(undefined);
    setRunning(true);
    run()
      .catch(setError)
      .finally(() => setRunning(false));
  };
  return (
    <Dialog title={`Call ${operation}`} onClose={onClose}>
      <p class="muted">{summary}</p>
      <Failure error={schemaError} />
      <form class="call" onSubmit={submit}>
        {schema === undefined ? null : (
          <SchemaFields schema={schema} texts={texts} onChange={setTexts} wrong={wrong} />
        )}
        {need === "none" ? null : (
          <fieldset>
            <legend>Input{need === "required" ? "" : " (optional)"}</legend>
            <small class="muted">{capability.inputSummary}</small>
            <label>
              Reference
              <input
                type="text"
                placeholder="sensor:NAME, data:NAME, blob:DIGEST, model:NAME"
                value={reference}
                spellcheck={false}
                onInput={(event) => setReference(event.currentTarget.value)}
              />
            </label>
            <label>
              or a file
              <input type="file" onChange={(event) => setFile(event.currentTarget.files?.[0])} />
            </label>
            <label>
              Descriptor of the input, as JSON
              <input
                type="text"
                placeholder='{"elementType":"f32","shape":[128,3]}'
                value={descriptor}
                spellcheck={false}
                onInput={(event) => setDescriptor(event.currentTarget.value)}
              />
            </label>
          </fieldset>
        )}
        {capability.selector.length === 0 ? null : (
          <fieldset>
            <legend>Selector (optional)</legend>
            {capability.selector.map((part) => (
              <label key={part}>
                {part}
                <input
                  type="text"
                  value={selector[part] ?? ""}
                  spellcheck={false}
                  onInput={(event) => setSelector({ ...selector, [part]: event.currentTarget.value })}
                />
              </label>
            ))}
          </fieldset>
        )}
        <Failure error={error} />
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="primary" disabled={running || schema === undefined}>
            {running ? "Running …" : "Call"}
          </button>
        </div>
      </form>
      {answer === undefined ? null : <Answer answer={answer} />}
    </Dialog>
  );
}

/** @throws Error for a file that is too large to go along */
async function inputOf(file: File | undefined, reference: string): Promise<object | undefined> {
  if (file === undefined) return reference.trim() === "" ? undefined : { reference: reference.trim() };
  if (file.size > inlineAtMost) {
    return { reference: (await request<{ reference: string }>("PUT", "/api/v1/blobs", file)).reference };
  }
  const data = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let i = 0; i < data.length; i += 0x8000) text += String.fromCharCode(...data.subarray(i, i + 0x8000));
  return { base64: btoa(text) };
}

function Answer({ answer }: { answer: CallAnswer }) {
  const { node, result, output, outputDescriptor, totalMs } = answer;
  return (
    <section class="answer" aria-live="polite">
      <h3>
        Answer of {node} in {ms(totalMs)}
      </h3>
      <pre tabIndex={0}>{JSON.stringify(result, undefined, 2)}</pre>
      {output === undefined ? null : (
        <p>
          Output: <Output output={output} />
          {outputDescriptor === undefined
            ? null
            : ` ${outputDescriptor.elementType ?? ""} [${(outputDescriptor.shape ?? []).join(", ")}]`}
        </p>
      )}
    </section>
  );
}

function Output({ output }: { output: NonNullable<CallAnswer["output"]> }) {
  if ("base64" in output) return <>{bytes(Math.floor((output.base64.length * 3) / 4))} inline</>;
  const digest = /^blob:([0-9a-f]{64})$/.exec(output.reference)?.[1];
  return digest === undefined ? (
    <code>{output.reference}</code>
  ) : (
    <a href={`/api/v1/blobs/${digest}`} download={digest}>
      <code>blob:{digest.slice(0, 12)}…</code>
    </a>
  );
}
