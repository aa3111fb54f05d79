/**
 * The operations on functions: deploy, invoke, migrate, remove, list. Running them is the Function Runtime's. What is
 * refused to whoever wants to change the functions of the node is in its log.
 */
import { bundleLimits } from "../../../compiler/function/manifest.js";
import {
  functionDeploy,
  functionInvoke,
  functionList,
  functionMigrate,
  functionRemove,
} from "../../bus/operations/function.js";
import { errorCodes, type ErrorName } from "../../bus/protocol-keys.js";
import type { Answer, Request } from "../../bus/protocol.js";
import type { RegisteredNode } from "../core/core-service.js";
import type { DescriptorMatch } from "../data/data-descriptor.js";
import type { FunctionRuntime, FunctionSummary } from "../functions/function-runtime.js";
import type { Jobs } from "../jobs/jobs.js";
import type { Log } from "../log.js";
import { Seldom } from "../seldom.js";
import { digestOf } from "../storage/blob-uses.js";
import { argumentsOf, resultFor } from "./arguments.js";
import { updateTimes, type UpdateTimes } from "./device-update.js";
import { deviceUpdateJob } from "./node-update.js";
import { OperationFailure, type LocalOperation, type OperationCall, type Submit } from "./operation.js";
import { inputOf, type ResolveReference } from "./references.js";

export interface FunctionOperationsOptions {
  readonly runtime: FunctionRuntime;
  readonly match: DescriptorMatch;
  readonly resolve: ResolveReference;
  /** To deploy on another node. */
  readonly submit: Submit;
  /** That deploy on minimal nodes, and the nodes that are joined. */
  readonly jobs: Jobs;
  readonly nodes: () => readonly RegisteredNode[];
  readonly recall: (node: string, digest: string) => void;
  /** Servers that this one has joined and can reach; default none. */
  readonly neighbours?: () => readonly string[];
  /** How long minimal nodes may take. */
  readonly updateTimes?: UpdateTimes;
  /** Id of this node. */
  readonly node: string;
  readonly log: Log;
}

const qualifiedOf = (summary: FunctionSummary): string => `${summary.name}@${summary.version}`;

export function createFunctionOperations(options: FunctionOperationsOptions): LocalOperation[] {
  const { runtime, match, resolve } = options;
  const toDevices = deviceUpdateJob(
    functionDeploy,
    "function",
    { ...options, times: options.updateTimes ?? updateTimes },
    ({ name, version, digest }) => ({ function: `${name}@${version}`, digest }),
  );
  const told = refusalsTold(options.log);
  return [
    told({
      definition: functionDeploy,
      async run(call) {
        const { digest, nodes, labels } = argumentsOf(functionDeploy, call);
        if (nodes !== undefined || labels !== undefined) return toDevices.run(call);
        const { bytes } = await inputOf(call.request.input, undefined, resolve, bundleLimits.bundle);
        if (digest !== undefined && digest !== digestOf(bytes)) {
          throw new OperationFailure("corrupt", "another digest than stated", "input");
        }
        const summary = await runtime.deploy(bytes);
        const result = { function: qualifiedOf(summary), digest: summary.digest ?? digestOf(bytes) };
        return { result: resultFor(functionDeploy, result) };
      },
    }),
    {
      definition: functionInvoke,
      // Functions that are not here may be elsewhere.
      canServe: ({ selector }: Request) => runtime.find(selector?.name ?? "") !== undefined,
      async run(call) {
        const name = call.request.selector?.name ?? "";
        const found = runtime.find(name);
        if (found === undefined) throw new OperationFailure("not-found", "no such function", "selector.name");
        const accepted = call.request.acceptedOutput;
        const field = accepted === undefined ? "" : match(found.output, accepted);
        if (field !== "") throw new OperationFailure("descriptor-mismatch", "", `accept.${field}`);
        const { request } = call;
        const input =
          request.input === undefined
            ? undefined
            : await inputOf(request.input, request.inputDescriptor, resolve, bundleLimits.data);
        const outcome = await runtime.invoke(name, {
          input: input?.bytes,
          inputDescriptor: input?.descriptor,
          signal: call.signal,
          deadlineAt: call.deadlineAt,
        });
        return {
          result: resultFor(functionInvoke, { function: outcome.function }),
          output: outcome.output,
          outputDescriptor: outcome.outputDescriptor,
        };
      },
    },
    told({ definition: functionMigrate, run: (call) => migrate(call, options) }),
    told({
      definition: functionRemove,
      async run(call) {
        const summary = await runtime.remove(argumentsOf(functionRemove, call).function);
        return { result: resultFor(functionRemove, { function: qualifiedOf(summary) }) };
      },
    }),
    {
      definition: functionList,
      run(call) {
        const { prefix } = argumentsOf(functionList, call);
        return Promise.resolve({ result: resultFor(functionList, { functions: runtime.list(prefix) }) });
      },
    },
  ];
}

/** Why it failed is in the log too, with who asked; a sender that tries again and again has one line in a while. */
function refusalsTold(log: Log): (operation: LocalOperation) => LocalOperation {
  const seldom = new Seldom();
  return (operation) => ({
    ...operation,
    async run(call) {
      try {
        return await operation.run(call);
      } catch (error) {
        if (!(error instanceof OperationFailure) || call.signal.aborted) throw error;
        const { name } = operation.definition;
        const { code, text } = error;
        const more = seldom.tell(`${call.sender} ${name} ${code} ${text}`);
        if (more !== undefined) {
          const { input } = call.request;
          const digest = typeof input === "object" ? { digest: digestOf(input) } : {};
          log.warn(
            {
              module: "functions",
              operation: name,
              sender: call.sender,
              code,
              reason: text,
              more,
              ...digest,
            },
            "refused",
          );
        }
        throw error;
      }
    },
  });
}

/** Removed here only once the other node has said that it has it: a function is never nowhere. */
async function migrate(
  call: OperationCall,
  { runtime, submit, node }: FunctionOperationsOptions,
): ReturnType<LocalOperation["run"]> {
  const { function: name, to } = argumentsOf(functionMigrate, call);
  const found = runtime.find(name);
  const bundle = await runtime.bundle(name);
  if (found === undefined || bundle === undefined) {
    throw new OperationFailure("not-found", "no such function here", "arguments.function");
  }
  const qualified = qualifiedOf(found.summary);
  if (to !== node) {
    const answer = await submit(
      {
        operation: functionDeploy.name,
        selector: { node: to },
        arguments: { digest: digestOf(bundle) },
        input: bundle,
        deadlineMs: Math.max(1, Math.floor(call.deadlineAt - performance.now())),
      },
      { sender: call.sender, signal: call.signal },
    );
    if (answer.error !== undefined) throw failureOf(answer.error);
    await runtime.remove(qualified);
  }
  return { result: resultFor(functionMigrate, { function: qualified, node: to }) };
}

/** The other node's refusal, as this one's; a field there is none of this request. */
function failureOf(error: NonNullable<Answer["error"]>): OperationFailure {
  const names = Object.entries(errorCodes) as [ErrorName, number][];
  const code = names.find(([, number]) => number === error.code)?.[0] ?? "internal";
  return new OperationFailure(
    code,
    error.text ?? "the other node refused",
    undefined,
    error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs },
  );
}
