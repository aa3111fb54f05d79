/** `tmc node jobs|job|cancel|logs|drain|resume|stop`: what goes on in a running node, and ending it. */
import { Option, type Command } from "commander";
import type { z } from "zod";
import type { jobSummary } from "../../../host/bus/operations/task.js";
import { ExitCode } from "../../diagnostics/user-error.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { clientOptions, NodeClient, type ClientOptions } from "../node-client.js";
import { facts, safe, table } from "../node-table.js";
import { nodeGroup } from "./node.js";

export type Job = z.infer<typeof jobSummary>;

interface Options extends ClientOptions {
  readonly json?: true;
  readonly follow?: true;
  readonly state?: string;
  readonly limit?: string;
  readonly level?: string;
}

const percent = (job: Job): string => `${Math.round(job.progress * 100)} %`;
const errorOf = (job: Job): string =>
  job.error === undefined
    ? job.text
    : `${job.error.code}${job.error.field === undefined ? "" : ` in ${job.error.field}`}: ${job.error.text ?? ""}`;

export function registerNodeJobs(program: Command): void {
  const group = nodeGroup(program);
  const jobs = clientOptions(group.command("jobs").description("its jobs, newest first"))
    .option(
      "--state <state>",
      "only those in this state: queued, running, done, failed, cancelled, superseded",
    )
    .option("--limit <n>", "at most", "50")
    .option("--json", "print the answer of the API")
    .action(async (options: Options) => {
      const query = new URLSearchParams({
        limit: options.limit ?? "50",
        ...(options.state === undefined ? {} : { state: options.state }),
      });
      const value = await (await NodeClient.open(options)).get<{ jobs: Job[] }>(`/jobs?${query.toString()}`);
      if (options.json === true) printJson(value);
      else process.stdout.write(value.jobs.length === 0 ? "There are no such jobs.\n" : jobTable(value.jobs));
    });
  describeCommand(jobs, {
    examples: [["tmc node jobs --state running", "what it works on"]],
    exitCodes: ["ok", "failed", "usage"],
  });

  const job = clientOptions(
    group.command("job").description("one job with its steps").argument("<id>", "of the job"),
  )
    .option("--follow", "until it has ended; the exit code says how")
    .option("--json", "print it as the API has it; with --follow when it has ended")
    .action(async (id: string, options: Options) => {
      const client = await NodeClient.open(options);
      const path = `/jobs/${encodeURIComponent(id)}`;
      const value = options.follow === true ? await followJob(client, id) : await client.get<Job>(path);
      if (options.json === true) printJson(value);
      else process.stdout.write(jobText(value));
      if (options.follow === true && value.state !== "done") process.exitCode = ExitCode.failed;
    });
  describeCommand(job, {
    examples: [["tmc node job train-17 --follow", "progress until it has ended"]],
    exitCodes: ["ok", "failed", "usage"],
  });

  const cancel = clientOptions(
    group.command("cancel").description("end a job").argument("<id>", "of the job"),
  )
    .option("--json", "print the job")
    .action(async (id: string, options: Options) => {
      const value = await (
        await NodeClient.open(options)
      ).post<Job>(`/jobs/${encodeURIComponent(id)}/cancel`);
      if (options.json === true) printJson(value);
      else process.stdout.write(`${safe(value.id)}: ${value.state}\n`);
    });
  describeCommand(cancel, {
    examples: [["tmc node cancel train-17", "its steps are told to stop"]],
    exitCodes: ["ok", "failed", "usage"],
  });
  registerLogs(group);
  registerControl(group);
}

function jobTable(jobs: readonly Job[]): string {
  return table(
    ["JOB", "OPERATION", "SUBJECT", "STATE", "PROGRESS", "CREATED", ""],
    jobs.map((each) => [
      each.id,
      each.operation,
      each.subject,
      each.state,
      percent(each),
      each.createdAt,
      errorOf(each),
    ]),
  );
}

export function jobText(job: Job): string {
  const steps = job.steps ?? [];
  return (
    facts([
      ["job", `${job.id}, ${job.operation} of ${job.subject}`],
      ["state", `${job.state}, ${percent(job)}${errorOf(job) === "" ? "" : `, ${errorOf(job)}`}`],
      ["created", `${job.createdAt} by ${job.sender}`],
      ...(job.endedAt === undefined ? [] : [["ended", job.endedAt] as const]),
      ...Object.entries(job.result ?? {}),
    ]) +
    (steps.length === 0
      ? ""
      : `\n${table(
          ["STEP", "STATE", "NODE", "ATTEMPTS", ""],
          steps.map((step) => [step.name, step.state, step.node, String(step.attempts), step.error ?? ""]),
        )}`)
  );
}

/** A line on stderr for everything that is new. */
function tellInLines(): (job: Job) => void {
  let told = "";
  return (job) => {
    const text = `${safe(job.id)} ${job.state} ${percent(job)} ${safe(job.text)}`.trimEnd();
    if (text !== told) process.stderr.write(`${text}\n`);
    told = text;
  };
}

/** Tells the progress until the job has ended. */
export async function followJob(client: NodeClient, id: string, show = tellInLines()): Promise<Job> {
  const path = `/jobs/${encodeURIComponent(id)}`;
  const tell = (job: Job): boolean => {
    show(job);
    return job.endedAt !== undefined;
  };
  // Listen first, then look: nothing falls between.
  const events = client.events(["job"]);
  const first = events.next();
  let job = await client.get<Job>(path);
  if (!tell(job)) {
    for (let event = await first; event.done !== true; event = await events.next()) {
      if (event.value.kind === "resync") job = await client.get<Job>(path);
      else if ((event.value.data as Job).id === id) job = event.value.data as Job;
      else continue;
      if (tell(job)) break;
    }
  }
  first.catch(() => undefined);
  events.return(undefined).catch(() => undefined);
  return job.endedAt === undefined ? await client.get<Job>(path) : job;
}

interface Line {
  readonly time: number;
  readonly level: number;
  readonly module?: string;
  readonly msg: string;
}

const levels: Readonly<Record<string, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

function registerLogs(group: Command): void {
  const logs = clientOptions(group.command("logs").description("the newest lines of its log"))
    .addOption(new Option("--level <level>", "and more severe").choices(Object.keys(levels)).default("info"))
    .option("--limit <n>", "lines at most", "100")
    .option("--follow", "go on with new lines until Ctrl-C")
    .option("--json", "one JSON document a line")
    .action(async (options: Options) => {
      const client = await NodeClient.open(options);
      const level = levels[options.level ?? "info"] ?? 30;
      const print = (line: Line): void => {
        process.stdout.write(options.json === true ? `${JSON.stringify(line)}\n` : lineText(line));
      };
      const { lines } = await client.get<{ lines: Line[] }>(
        `/logs?level=${level}&limit=${encodeURIComponent(options.limit ?? "100")}`,
      );
      lines.forEach(print);
      if (options.follow !== true) return;
      for await (const { kind, data } of client.events(["log"])) {
        if (kind === "log" && (data as Line).level >= level) print(data as Line);
      }
    });
  describeCommand(logs, {
    examples: [["tmc node logs --follow --level warn", "what goes wrong, as it happens"]],
    exitCodes: ["ok", "failed", "usage"],
  });
}

function lineText({ time, level, module, msg, ...rest }: Line): string {
  const name = Object.entries(levels).find(([, n]) => n === level)?.[0] ?? String(level);
  const more = Object.entries(rest).map(([key, value]) => ` ${safe(key)}=${safe(value)}`);
  return `${new Date(time).toISOString()} ${name.padEnd(5)} ${safe(module ?? "-")}: ${safe(msg)}${more.join("")}\n`;
}

const controls = {
  drain: ["take nothing new, finish what runs", "before an update"],
  resume: ["take requests again", "after a drain"],
  stop: ["end the node in good order", "running requests are finished first"],
} as const;

function registerControl(group: Command): void {
  for (const [name, [description, example]] of Object.entries(controls)) {
    const command = clientOptions(group.command(name).description(description))
      .option("--json", "print the answer of the API")
      .action(async (options: Options) => {
        const value = await (await NodeClient.open(options)).post<{ state: string }>(`/control/${name}`);
        if (options.json === true) printJson(value);
        else process.stdout.write(`The node is ${value.state}.\n`);
      });
    describeCommand(command, {
      examples: [[`tmc node ${name}`, example]],
      exitCodes: ["ok", "failed", "usage"],
    });
  }
}
